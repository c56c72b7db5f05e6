/** Judges the proof that an order only reduces a position, and remembers the reductions that the proof cannot know yet. */
import type { Clock } from '../clock.js';
import type { Side } from '../messages/order.js';
import type { OrderRefusal } from './errors.js';
import type { GateProtocol, SubmissionOutcome } from './protocol.js';

/** Taken by the caller from its cached position, synchronously. */
export interface ReduceProof {
  readonly account: string;
  readonly symbol: string;
  readonly side: Side;
  readonly quantity: number;
  /** Signed: below zero is short. Less what already rests at the venue to reduce it. */
  readonly position: number;
  /** How long ago the venue said so. */
  readonly positionAgeMs: number;
}

/** One admitted reduction. */
export interface Reduction {
  readonly side: Side;
  readonly quantity: number;
  readonly entryId: number;
  /** Undefined while the call is in flight. */
  outcome: SubmissionOutcome | undefined;
  /** When the venue acknowledged it: positions read before that do not show it. */
  acknowledgedMs: number | undefined;
}

export type ProofVerdict =
  | { readonly holds: true; readonly proof: ReduceProof }
  | { readonly holds: false; readonly refusal: OrderRefusal };

// Sums of decimal fractions miss by a few units in the last place; no venue has lots this small beside a position.
const RELATIVE_TOLERANCE = 1e-9;

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** What a caller handed in, each field read once: a live object could be judged by one value and booked with another. */
function proofIn(value: unknown): ReduceProof | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { account, symbol, side, quantity, position, positionAgeMs }: Partial<Record<keyof ReduceProof, unknown>> = value;
  if (!isText(account) || !isText(symbol) || (side !== 'buy' && side !== 'sell')) return undefined;
  if (!isNumber(quantity) || !isNumber(position) || !isNumber(positionAgeMs)) return undefined;
  return { account, symbol, side, quantity, position, positionAgeMs };
}

function notReducing(reason: string, maxQuantity = 0): ProofVerdict {
  return { holds: false, refusal: { code: 'not_reducing', source: 'verify_reduce', reason, maxQuantity } };
}

/** The pure rule. `inFlightQuantity` is what other reductions of the same side may still take from the position. */
export function judgeProof(proof: ReduceProof | undefined, inFlightQuantity: number, maxPositionAgeMs: number): ProofVerdict {
  if (proof === undefined) return notReducing('no complete proof that the order reduces a position');
  const { side, quantity, position, positionAgeMs } = proof;
  if (positionAgeMs < 0) return notReducing(`the position is dated ${-positionAgeMs} ms ahead`);
  if (positionAgeMs > maxPositionAgeMs) return notReducing(`the position is ${positionAgeMs} ms old, more than ${maxPositionAgeMs}`);
  if (side === 'sell' ? position <= 0 : position >= 0) return notReducing(`a ${side} does not reduce a position of ${position}`);
  const tolerance = Math.abs(position) * RELATIVE_TOLERANCE;
  const left = Math.abs(position) - inFlightQuantity;
  const maxQuantity = left > tolerance ? left : 0;
  if (quantity <= 0) return notReducing(`a quantity of ${quantity} reduces nothing`, maxQuantity);
  if (maxQuantity === 0 || quantity > maxQuantity + tolerance) {
    return notReducing(`${quantity} is more than the ${maxQuantity} left of the position after reductions in flight`, maxQuantity);
  }
  return { holds: true, proof };
}

const SWEEP_AT_LEAST = 1_024;

/** The reductions of one gate: two guards that share a gate share the position too. */
export class ReductionBook {
  readonly #reductions = new Map<string, Set<Reduction>>();
  #keepMs = 0;
  /** So many positions are in the book before those are looked for that nobody has asked about since. */
  #sweepAt = SWEEP_AT_LEAST;

  /** Remembers acknowledged reductions for as long as any guard accepts positions that are older than them. */
  keepFor(maxPositionAgeMs: number): void {
    this.#keepMs = Math.max(this.#keepMs, maxPositionAgeMs);
  }

  verify(value: unknown, nowMs: number, maxPositionAgeMs: number): ProofVerdict {
    const proof = proofIn(value);
    return judgeProof(proof, proof === undefined ? 0 : this.#pendingQuantity(proof, nowMs), maxPositionAgeMs);
  }

  add(proof: ReduceProof, entryId: number, nowMs: number): Reduction {
    if (this.#reductions.size >= this.#sweepAt) this.#sweep(nowMs);
    const key = keyOf(proof);
    const reductions = this.#reductions.get(key) ?? new Set<Reduction>();
    this.#reductions.set(key, reductions);
    const reduction: Reduction = { side: proof.side, quantity: proof.quantity, entryId, outcome: undefined, acknowledgedMs: undefined };
    reductions.add(reduction);
    return reduction;
  }

  /** The venue was asked, after the call had ended without an answer. */
  resolve(entryId: number, outcome: SubmissionOutcome, nowMs: number): void {
    for (const reductions of this.#reductions.values()) {
      for (const reduction of reductions) if (reduction.entryId === entryId) settleReduction(reduction, outcome, nowMs);
    }
  }

  /** Looks at each position once for every doubling, so that an order pays for few. */
  #sweep(nowMs: number): void {
    for (const [key, reductions] of this.#reductions) {
      for (const reduction of reductions) if (isOver(reduction, nowMs - this.#keepMs)) reductions.delete(reduction);
      if (reductions.size === 0) this.#reductions.delete(key);
    }
    this.#sweepAt = Math.max(SWEEP_AT_LEAST, 2 * this.#reductions.size);
  }

  /** Of how many positions anything is remembered. */
  get positions(): number {
    return this.#reductions.size;
  }

  #pendingQuantity(proof: ReduceProof, nowMs: number): number {
    const key = keyOf(proof);
    const reductions = this.#reductions.get(key);
    if (reductions === undefined) return 0;
    const observedMs = nowMs - proof.positionAgeMs;
    let pending = 0;
    for (const reduction of reductions) {
      if (isOver(reduction, nowMs - this.#keepMs)) reductions.delete(reduction);
      else if (reduction.side === proof.side && !isShownBy(reduction, observedMs)) pending += reduction.quantity;
    }
    if (reductions.size === 0) this.#reductions.delete(key);
    return pending;
  }
}

const books = new WeakMap<GateProtocol, ReductionBook>();

/** The book of one gate. */
export function reductionsOf(protocol: GateProtocol, clock: Clock): ReductionBook {
  const known = books.get(protocol);
  if (known !== undefined) return known;
  const book = new ReductionBook();
  books.set(protocol, book);
  protocol.onResolved((entryId, outcome) => book.resolve(entryId, outcome, clock.monotonicMs()));
  return book;
}

export function settleReduction(reduction: Reduction, outcome: SubmissionOutcome, nowMs: number): void {
  reduction.outcome = outcome;
  if (outcome === 'acknowledged') reduction.acknowledgedMs = nowMs;
}

function keyOf({ account, symbol }: ReduceProof): string {
  return JSON.stringify([account, symbol]);
}

function isShownBy({ acknowledgedMs }: Reduction, observedMs: number): boolean {
  return acknowledgedMs !== undefined && observedMs > acknowledgedMs;
}

function isOver({ outcome, acknowledgedMs }: Reduction, oldestAcceptedMs: number): boolean {
  return outcome === 'refused' || (acknowledgedMs !== undefined && acknowledgedMs < oldestAcceptedMs);
}
