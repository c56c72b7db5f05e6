/** What the beats of one exit brain have shown so far. Only news counts: a beat refreshes by its sequence or by a new generation. */
import type { BrainBeat, BrainStatus } from '../messages/heartbeat.js';

/** Times are on the watchdog's healthy clock (see selfDoubt.ts); the sender's clocks are never used. */
export interface ServiceLife {
  readonly serviceId: string;
  readonly account: string;
  readonly generation: string;
  readonly sequence: number;
  readonly decisionSequence: number;
  readonly status: BrainStatus;
  /** By the word of a life that has decided at least once; undefined before. */
  readonly positions: number | undefined;
  readonly refreshedMs: number;
  /** The arm epoch in which it last refreshed. */
  readonly epoch: number;
  readonly decidedMs: number;
  readonly degradedSinceMs: number | undefined;
  /** Earlier lives, newest last: their beats are old news whenever they come. */
  readonly former: readonly string[];
  /** When new lives began, newest last. */
  readonly startsMs: readonly number[];
}

export interface BeatReceipt {
  readonly atMs: number;
  readonly epoch: number;
  /** The watchdog is reading up on what it missed: the spacing of what it finds means nothing. */
  readonly catchingUp: boolean;
}

/** Lives and starts remembered for each service. */
const REMEMBERED = 16;

/** Returns `life` itself where the beat is no news. */
export function foldBeat(life: ServiceLife | undefined, beat: BrainBeat, receipt: BeatReceipt): ServiceLife {
  if (life === undefined) return firstLife(beat, receipt);
  if (beat.generation === life.generation) {
    // A goodbye is final: a beat after it is a replay or a liar.
    return beat.sequence > life.sequence && life.status !== 'GOODBYE' ? laterBeat(life, beat, receipt) : life;
  }
  return life.former.includes(beat.generation) ? life : nextLife(life, beat, receipt);
}

function firstLife(beat: BrainBeat, { atMs, epoch }: BeatReceipt): ServiceLife {
  return {
    serviceId: beat.serviceId,
    account: beat.account,
    generation: beat.generation,
    sequence: beat.sequence,
    decisionSequence: beat.decisionSequence,
    status: beat.status,
    positions: positionsAfter(undefined, beat),
    refreshedMs: atMs,
    epoch,
    decidedMs: atMs,
    degradedSinceMs: beat.status === 'DEGRADED' ? atMs : undefined,
    former: [],
    startsMs: [atMs],
  };
}

function laterBeat(life: ServiceLife, beat: BrainBeat, { atMs, epoch }: BeatReceipt): ServiceLife {
  return {
    serviceId: life.serviceId,
    account: beat.account,
    generation: life.generation,
    sequence: beat.sequence,
    decisionSequence: Math.max(life.decisionSequence, beat.decisionSequence),
    status: beat.status,
    positions: positionsAfter(life, beat),
    refreshedMs: atMs,
    epoch,
    decidedMs: beat.decisionSequence > life.decisionSequence ? atMs : life.decidedMs,
    degradedSinceMs: beat.status === 'DEGRADED' ? (life.degradedSinceMs ?? atMs) : undefined,
    former: life.former,
    startsMs: life.startsMs,
  };
}

function nextLife(life: ServiceLife, beat: BrainBeat, receipt: BeatReceipt): ServiceLife {
  // A life that has decided nothing yet is no progress over its predecessor: the age of the last decision goes on.
  const begun = laterBeat({ ...life, generation: beat.generation, decisionSequence: 0 }, beat, receipt);
  // Lives found while reading up may have been minutes apart; together they count as one start.
  const earlier = receipt.catchingUp ? life.startsMs.slice(0, -1) : life.startsMs;
  return {
    ...begun,
    decisionSequence: beat.decisionSequence,
    former: [...life.former, life.generation].slice(-REMEMBERED),
    startsMs: [...earlier, receipt.atMs].slice(-REMEMBERED),
  };
}

/** A life that has not decided yet does not know its positions: what its predecessor said stands. */
function positionsAfter(life: ServiceLife | undefined, beat: BrainBeat): number | undefined {
  return beat.decisionSequence === 0 ? life?.positions : beat.activePositions;
}

/** Nothing is different but the time: the beat was news, a decision was completed, and all that it says of itself it said before. */
export function goesOnAsBefore(before: ServiceLife | undefined, after: ServiceLife): boolean {
  return (
    before !== undefined &&
    before.generation === after.generation &&
    before.decisionSequence < after.decisionSequence &&
    before.status === 'OK' &&
    after.status === 'OK' &&
    before.positions === after.positions &&
    before.account === after.account &&
    before.epoch === after.epoch
  );
}

export function startsWithin(life: ServiceLife, nowMs: number, windowMs: number): number {
  let count = 0;
  for (const startMs of life.startsMs) if (nowMs - startMs <= windowMs) count += 1;
  return count;
}
