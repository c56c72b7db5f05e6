/** `trading_lease:holder`: who may send orders, and what they say when they must stop. Appended under the holder's id as key. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const LEASE_HOLDER = 'trading_lease:holder';

/** How long a renewal lasts where nothing else is asked for: an exit reckons with no shorter lease of anyone. */
export const LEASE_TTL_MS = 750;
/** When the call of a holder's broker client surely settles where the holder says nothing else, and where no holder is known. */
export const BROKER_TIMEOUT_MS = 5_000;

/**
 * - `registered`: this process may send orders from now on;
 * - `attested`: it has seen this epoch;
 * - `suspended`: its lease lapsed (for the record);
 * - `drained`: nothing of its orders is under way any more, and it admits none: counts only with no unknown outcome;
 * - `released`: a drained holder that has ended in order.
 */
export const HOLDER_EVENTS = ['registered', 'attested', 'suspended', 'drained', 'released'] as const;
export type HolderEvent = (typeof HOLDER_EVENTS)[number];

export interface HolderReport {
  readonly holderId: string;
  readonly account: string;
  readonly event: HolderEvent;
  readonly host: string;
  readonly bootId: string;
  readonly pid: number;
  /** The epoch that this holder acts under. */
  readonly epoch: number;
  /** When the broker client's own call surely settles, at the longest. */
  readonly brokerTimeoutMs: number;
  readonly leaseTtlMs: number;
  readonly inflight: number;
  readonly unknownOutcomes: number;
  /** The version of the trading state that it had seen: a `drained` from before a halt says nothing about what came after. */
  readonly stateVersion?: number;
  readonly wallMs: number;
}

export function encodeHolderReport(report: HolderReport): Fields {
  return encode({
    holder_id: report.holderId,
    account: report.account,
    event: report.event,
    host: report.host,
    boot_id: report.bootId,
    pid: report.pid,
    epoch: report.epoch,
    broker_timeout_ms: report.brokerTimeoutMs,
    lease_ttl_ms: report.leaseTtlMs,
    inflight: report.inflight,
    unknown_outcomes: report.unknownOutcomes,
    state_version: report.stateVersion,
    ts: Math.round(report.wallMs),
  });
}

export function decodeHolderReport(fields: Fields): Decoded<HolderReport> {
  return decodeWith(fields, (reader) => {
    const stateVersion = reader.optionalCount('state_version');
    return {
      holderId: reader.text('holder_id'),
      account: reader.text('account'),
      event: reader.oneOf('event', HOLDER_EVENTS),
      host: reader.text('host'),
      bootId: reader.text('boot_id'),
      pid: reader.count('pid'),
      epoch: reader.count('epoch'),
      brokerTimeoutMs: reader.amount('broker_timeout_ms'),
      leaseTtlMs: reader.amount('lease_ttl_ms'),
      inflight: reader.count('inflight'),
      unknownOutcomes: reader.count('unknown_outcomes'),
      ...(stateVersion === undefined ? {} : { stateVersion }),
      wallMs: reader.count('ts'),
    };
  });
}
