/** How healthy the flow of orders was in a sample or over a span, by the published bounds: plain functions of plain numbers. */

export type Health = 'healthy' | 'degraded' | 'critical';

export const DEGRADED = { errorRate: 0.05, latencyMs: 500 } as const;
export const CRITICAL = { errorRate: 0.2, latencyMs: 1_000 } as const;

export interface OrderFlow {
  /** Share of the attempts that were refused, or not taken by the venue, from 0 to 1; undefined where none was made. */
  readonly errorRate: number | undefined;
  /** The 95th percentile from the door to the venue's acceptance; undefined where nothing was accepted. */
  readonly latencyMs: number | undefined;
}

/** No order at all is critical: a strategy that stands still has not proved that it could trade. */
export function healthOf({ errorRate, latencyMs }: OrderFlow): Health {
  if (errorRate === undefined) return 'critical';
  const worse = (bounds: { readonly errorRate: number; readonly latencyMs: number }) =>
    errorRate > bounds.errorRate || (latencyMs !== undefined && latencyMs > bounds.latencyMs);
  if (worse(CRITICAL)) return 'critical';
  return worse(DEGRADED) ? 'degraded' : 'healthy';
}
