/** The flow of orders in a span, from what the strategy wrote down at its door and what the venue's own books say. */
import type { VenueEvent } from '../../brokers/paper/index.js';
import type { OrderAttempt } from '../../drill/orderLog.js';
import { quantile } from '../../drill/quantile.js';

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Flow {
  readonly attempts: number;
  readonly refused: number;
  /** Admitted at the door, and never seen at the venue. */
  readonly lost: number;
  readonly throughputPerS: number;
  readonly errorRate: number | undefined;
  /** The 95th percentile. */
  readonly latencyMs: number | undefined;
}

/** When the venue took each order, by client order id. Of an order that it rejected, it took nothing. */
export function acceptedAtMs(events: readonly VenueEvent[]): ReadonlyMap<string, number> {
  const accepted = new Map<string, number>();
  for (const event of events)
    if (event.kind === 'accepted' && event.clientOrderId !== undefined) accepted.set(event.clientOrderId, event.atMs);
  return accepted;
}

export function flowIn({ fromMs, untilMs }: Span, attempts: readonly OrderAttempt[], accepted: ReadonlyMap<string, number>): Flow {
  const made = attempts.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  const admitted = made.filter(({ result }) => result === 'admitted');
  const latencies = admitted.flatMap(({ clientOrderId, atMs }) => {
    const takenMs = accepted.get(clientOrderId);
    return takenMs === undefined ? [] : [takenMs - atMs];
  });
  const refused = made.length - admitted.length;
  const lost = admitted.length - latencies.length;
  return {
    attempts: made.length,
    refused,
    lost,
    throughputPerS: untilMs > fromMs ? (latencies.length * 1_000) / (untilMs - fromMs) : 0,
    errorRate: made.length === 0 ? undefined : (refused + lost) / made.length,
    latencyMs: latencies.length === 0 ? undefined : quantile(latencies, 0.95),
  };
}
