/** All that a drill is judged on: the venue's own events, what an observer saw on the bus, and the marks of the run. */
import type { VenueEvent } from '../../brokers/paper/index.js';
import type { BusSight, Seen } from '../../rig/observer.js';
import type { ReceivedAlert } from '../../rig/webhook.js';
import type { OrderAttempt } from '../orderLog.js';

/** Promised times of this run, divided by its scale. In milliseconds. */
export interface PromisedTimes {
  /** From the last sign of life to the panic: the threshold of the rule that is expected to fire. */
  readonly detectionMs: number;
  readonly leaseTtlMs: number;
  readonly peerLivenessMs: number;
  readonly brokerTimeoutMs: number;
  readonly claimMs: number;
  readonly exitDeadlineMs: number;
  /** How long an exit doubts what a venue shows of a position that moved by it does not know how much. */
  readonly doubtMs: number;
}

/** Moments of the run on the host's monotonic clock, taken down by the conductor as they come. */
export interface Marks {
  /** Infinity before. */
  armedMs: number;
  /** Right before the signal was sent (or the fault switched on). */
  faultMs?: number;
  /** `--kill watchdog`: when the watchdog was killed, before the brain was. */
  watchdogKilledMs?: number;
  /** When a process was cut off from the bus or its server was struck, and until when the bus was surely away. */
  outage?: { readonly fromMs: number; readonly untilMs: number };
  /** When a worker was killed after its first close. */
  workerKilledMs?: number;
  /** An operator's panic: when the bus had it. */
  panicGivenMs?: number;
  /** `--no-fault`: the span that had to stay quiet. */
  quiet?: { readonly fromMs: number; readonly untilMs: number };
  /** Infinity as long as the run goes on. */
  endMs: number;
}

export interface Evidence {
  readonly account: string;
  readonly positions: number;
  readonly venueLatencyMs: number;
  readonly promised: PromisedTimes;
  readonly marks: Readonly<Marks>;
  readonly events: readonly VenueEvent[];
  readonly bus: BusSight;
  readonly attempts: readonly Seen<OrderAttempt>[];
  readonly alerts: readonly ReceivedAlert[];
  /** Panics that some worker still had to acknowledge at the end; undefined where that could not be read. */
  readonly unacknowledged: number | undefined;
  /** Panics that were delivered and not acknowledged when a worker was killed in the middle of an exit. */
  readonly pendingWhenWorkerDied: number | undefined;
  /** How long the observing process was kept from running within a span: the only thing by which a tolerance grows. */
  readonly stallMs: (fromMs: number, untilMs: number) => number;
}

export interface Check {
  /** The promise's id in the specification, with a word where one id has several checks. */
  readonly id: string;
  readonly name: string;
  readonly passed: boolean;
  readonly evidence: string;
  /** True: failed because what it needed never came, not on what it saw. */
  readonly missing: boolean;
  /** Of a promise of speed: what was measured and its bound, in each run. */
  readonly figures: readonly Figure[];
}

export interface Figure {
  readonly ms: number;
  readonly boundMs: number;
  /** What the observer measured of its own stall in the same span: by so much, and no more, the bound grows. */
  readonly stallMs: number;
}

export type Judge = (evidence: Evidence) => Check;

/** What a check found; `undefined` findings are missing evidence, and missing evidence is a failed check. */
export type Finding = { readonly passed: boolean; readonly evidence: string; readonly figure?: Figure } | { readonly missing: string };

export function check(id: string, name: string, find: (evidence: Evidence) => Finding): Judge {
  return (evidence) => {
    const found = find(evidence);
    if ('missing' in found) return { id, name, passed: false, evidence: `no evidence: ${found.missing}`, missing: true, figures: [] };
    const { passed, evidence: seen, figure } = found;
    return { id, name, passed, evidence: seen, missing: false, figures: figure === undefined ? [] : [figure] };
  };
}

/** Tolerance of the detection and of leases: never divided by the scale. */
export const TOLERANCE_MS = 100;

/** Positions that one exit worker of a drill closes at the same time. */
export const CONCURRENCY = 10;

/** From the panic to the empty book: what the venue's latency costs for so many positions, and a quarter of a second. */
export function boundOfEmptyBookMs({ positions, venueLatencyMs }: Pick<Evidence, 'positions' | 'venueLatencyMs'>): number {
  return 1.25 * Math.ceil(positions / CONCURRENCY) * venueLatencyMs + 250;
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** The first panic after the fault. */
export function firstPanic(evidence: Evidence): BusSight['panics'][number] | undefined {
  const fromMs = evidence.marks.faultMs ?? evidence.marks.panicGivenMs ?? -Infinity;
  return evidence.bus.panics.find((panic) => panic.atMs >= fromMs);
}

/** When the exit's halt was first seen on the bus. */
export function haltSeenMs(evidence: Evidence): number | undefined {
  return evidence.bus.states.find((seen) => seen.atMs >= evidence.marks.armedMs && seen.value.halts.some((halt) => halt.kind === 'exit'))
    ?.atMs;
}

export function firstFlat(evidence: Evidence): BusSight['completions'][number] | undefined {
  return evidence.bus.completions.find((seen) => seen.value.verdict === 'flat');
}

/** What was said last of all; once `flat` has been said, that. */
export function lastCompletion(evidence: Evidence): BusSight['completions'][number] | undefined {
  return evidence.bus.completions.findLast((seen) => seen.value.verdict === 'flat') ?? evidence.bus.completions.at(-1);
}
