/** Closes that were written down and cannot be read any more: whoever closes beside them might close twice. */
import type { BrokerCapabilities, PositionSide } from '../broker/broker.js';
import type { ExitTimings } from './options.js';

export interface UnclearAttempts {
  /** Until then (monotonic clock) what they tell of may still fill. Infinity: nobody can find out, so a person must. */
  readonly untilMs: number;
  readonly why: string;
}

/** Undefined where nothing is unclear, or where the venue itself refuses to take the same close a second time. */
export function unclearAttempts(
  unreadable: readonly string[],
  { clientOrderIds, orderExpiryMs, readLagMs }: BrokerCapabilities,
  startedMs: number,
  { brokerTimeoutMs }: Pick<ExitTimings, 'brokerTimeoutMs'>,
): UnclearAttempts | undefined {
  if (unreadable.length === 0 || clientOrderIds === 'forever') return undefined;
  // Our predecessor sent nothing after our claim began, and the venue itself ends what it sent before.
  const untilMs = orderExpiryMs === undefined ? Infinity : startedMs + readLagMs + orderExpiryMs + brokerTimeoutMs;
  return { untilMs, why: `closes that were sent before cannot be read: ${unreadable.slice(0, 3).join('; ')}` };
}

/** The venue says that it caps our close at the position. */
export function isCapped(capabilities: BrokerCapabilities, { positionSide }: { readonly positionSide: PositionSide }): boolean {
  return capabilities.reduceOnly === 'enforced' && positionSide === 'net';
}
