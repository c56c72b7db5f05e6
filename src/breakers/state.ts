/** The states of one strategy's breakers, and every way from one to another, as pure functions. */
import type { BreakerType, ProbeOptions } from './config.js';
import type { Details, ReasonCode } from './result.js';

export interface Trip {
  readonly id: string;
  readonly type: BreakerType;
  readonly reasonCode: ReasonCode;
  readonly message: string;
  readonly details: Details;
  /** For people. */
  readonly sinceWallMs: number;
}

/** Times are of the monotonic clock. The first one of `trips` came first; none is forgotten before a reset or a good probe. */
export type BreakerState =
  | { readonly status: 'closed' }
  /** Until a person resets it. */
  | { readonly status: 'tripped'; readonly trips: readonly Trip[] }
  /** Until the next probe. `attempt`: how many there were. */
  | { readonly status: 'cooling'; readonly trips: readonly Trip[]; readonly untilMs: number; readonly attempt: number }
  /** `pending` are the probe's orders on their way, by their ids at the door. */
  | {
      readonly status: 'probing';
      readonly trips: readonly Trip[];
      readonly untilMs: number;
      readonly attempt: number;
      readonly pending: readonly number[];
      readonly acknowledged: number;
    };

export const CLOSED: BreakerState = Object.freeze({ status: 'closed' });

export function tripsOf(state: BreakerState): readonly Trip[] {
  return state.status === 'closed' ? [] : state.trips;
}

interface Attempts {
  readonly trips: readonly Trip[];
  readonly attempt: number;
}

function held({ trips, attempt }: Attempts, probe: ProbeOptions | undefined, nowMs: number): BreakerState {
  const mayProbe = probe !== undefined && attempt < probe.maxAttempts && trips.every(({ type }) => probe.types.includes(type));
  return mayProbe ? { status: 'cooling', trips, untilMs: nowMs + probe.afterMs, attempt } : { status: 'tripped', trips };
}

const NONE: ReadonlySet<string> = new Set();

/**
 * A trip in whatever state: it latches, joins, begins the cooling again, or ends a probe. One trip of each type is added; `leaving` are the
 * ids of those that a reset is about to take away, and for which a new one of the same type is no repetition.
 */
export function withTrips(
  state: BreakerState,
  added: readonly Trip[],
  {
    probe,
    nowMs,
    leaving = NONE,
  }: { readonly probe: ProbeOptions | undefined; readonly nowMs: number; readonly leaving?: ReadonlySet<string> },
): BreakerState {
  const known = tripsOf(state);
  const staying = known.filter(({ id }) => !leaving.has(id));
  const news = added.filter(({ type }, index) => ![...staying, ...added.slice(0, index)].some((trip) => trip.type === type));
  return joined(state, news, probe, nowMs);
}

/** Trips of another process, each of which a reset must name: here none stands for another. */
export function withAdopted(
  state: BreakerState,
  adopted: readonly Trip[],
  { probe, nowMs }: { readonly probe: ProbeOptions | undefined; readonly nowMs: number },
): BreakerState {
  const known = tripsOf(state);
  return joined(
    state,
    adopted.filter(({ id }) => !known.some((trip) => trip.id === id)),
    probe,
    nowMs,
  );
}

function joined(state: BreakerState, news: readonly Trip[], probe: ProbeOptions | undefined, nowMs: number): BreakerState {
  const known = tripsOf(state);
  const trips = news.length === 0 ? known : [...known, ...news];
  if (trips.length === 0) return state;
  if (state.status === 'tripped') return news.length === 0 ? state : { status: 'tripped', trips };
  return held({ trips, attempt: state.status === 'closed' ? 0 : state.attempt }, probe, nowMs);
}

/** What time alone does. A time that is no number does nothing. */
export function atTime(state: BreakerState, probe: ProbeOptions | undefined, nowMs: number): BreakerState {
  if (probe === undefined || (state.status !== 'cooling' && state.status !== 'probing') || !(nowMs >= state.untilMs)) return state;
  const { trips, attempt } = state;
  if (state.status === 'probing') return held(state, probe, nowMs);
  return { status: 'probing', trips, untilMs: nowMs + probe.timeoutMs, attempt: attempt + 1, pending: [], acknowledged: 0 };
}

/** Orders that the probe may still admit. */
export function probesLeft(state: BreakerState, probe: ProbeOptions | undefined): number {
  if (probe === undefined || state.status !== 'probing') return 0;
  return probe.maxOrders - state.pending.length - state.acknowledged;
}

/** An order of the probe was let in at the door. */
export function probeAdmitted(state: BreakerState, entryId: number): BreakerState {
  return state.status === 'probing' ? { ...state, pending: [...state.pending, entryId] } : state;
}

/** An order has ended. One that the running probe did not let in, as one from before the trip, changes nothing. */
export function orderSettled(
  state: BreakerState,
  probe: ProbeOptions | undefined,
  settled: { readonly entryId: number; readonly acknowledged: boolean; readonly nowMs: number },
): BreakerState {
  if (probe === undefined || state.status !== 'probing' || !state.pending.includes(settled.entryId)) return state;
  if (!settled.acknowledged) return held(state, probe, settled.nowMs);
  const acknowledged = state.acknowledged + 1;
  if (acknowledged >= probe.maxOrders) return CLOSED;
  return { ...state, acknowledged, pending: state.pending.filter((entryId) => entryId !== settled.entryId) };
}

/** Without the trips of these ids. What tripped since then stays. */
export function withoutTrips(state: BreakerState, ids: ReadonlySet<string>): BreakerState {
  if (state.status === 'closed') return state;
  const trips = state.trips.filter(({ id }) => !ids.has(id));
  return trips.length === 0 ? CLOSED : { status: 'tripped', trips };
}
