/**
 * Results in the order of time, each with the totals of all up to it. What counts is the difference of two totals, so that a result that
 * comes late, changes or goes is counted anew with those after it and with no others. Totals are exact: a difference is, too.
 */
import { type Exact, NOTHING, negated, plus } from './exactDecimal.js';
import { dayOf, dayStartMs, judgeDailyLoss, judgeLosses } from './lossJudgement.js';
import { type CountedResult, isLoss, isZero } from './lossResult.js';
import type { DailyLossOptions, LossOptions } from './options.js';
import { type CheckResult, OFF, passes } from './result.js';

export interface TalliedResult extends CountedResult {
  /** Counts for streaks and sums. */
  readonly isCounted: boolean;
  /** Counts for its day. */
  readonly isOfDay: boolean;
}

/** Of all results up to one, those that are no longer kept among them. */
interface Totals {
  readonly counted: number;
  readonly losses: number;
  readonly lost: Exact;
  /** Losses since the last win. */
  readonly streak: number;
  /** Gains less losses of all that count for their day. */
  readonly net: Exact;
  /** The time of the newest that counts for streaks and sums. */
  readonly newestMs: number;
}

const START: Totals = { counted: 0, losses: 0, lost: NOTHING, streak: 0, net: NOTHING, newestMs: -Infinity };

function totalsWith(before: Totals, result: TalliedResult): Totals {
  if (isZero(result)) return before;
  const net = result.isOfDay ? plus(before.net, result.pnl) : before.net;
  if (!result.isCounted) return { ...before, net };
  const counts = { counted: before.counted + 1, net, newestMs: result.closedAtMs };
  if (!isLoss(result)) return { ...before, ...counts, streak: 0 };
  return { ...counts, losses: before.losses + 1, lost: plus(before.lost, negated(result.pnl)), streak: before.streak + 1 };
}

/** The first place at which it is so; from there on it stays so. The length where it never is. */
function firstPlace<T>(list: readonly T[], isSo: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const item = list[middle];
    if (item !== undefined && isSo(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

const isLater = (one: CountedResult, other: CountedResult): boolean =>
  one.closedAtMs > other.closedAtMs || (one.closedAtMs === other.closedAtMs && one.sequence > other.sequence);

const difference = (later: Exact, earlier: Exact): Exact => plus(later, negated(earlier));

export class LossTally<Result extends TalliedResult = TalliedResult> {
  readonly #losses: LossOptions | undefined;
  readonly #daily: DailyLossOptions | undefined;
  /** Oldest first; of one time by their sequence, and else in the order in which they came. */
  #results: Result[] = [];
  /** Those of the first results, as far as nothing has changed since they were counted. */
  readonly #totals: Totals[] = [];
  /** Of what is no longer kept. */
  #before: Totals = START;
  #day = -Infinity;

  constructor(losses: LossOptions | undefined, daily: DailyLossOptions | undefined) {
    this.#losses = losses;
    this.#daily = daily;
  }

  /** How many results are kept. */
  get size(): number {
    return this.#results.length;
  }

  add(result: Result): void {
    this.#openDay(result.closedAtMs);
    const place = firstPlace(this.#results, (other) => isLater(other, result));
    this.#results.splice(place, 0, result);
    this.#changedFrom(place);
  }

  /** One that is no longer kept is gone already. */
  remove(result: Result): void {
    const earliest = firstPlace(this.#results, ({ closedAtMs }) => closedAtMs >= result.closedAtMs);
    const place = this.#results.indexOf(result, earliest);
    if (place < 0) return;
    this.#results.splice(place, 1);
    this.#changedFrom(place);
  }

  /** All of them begin again as `change` leaves them, and as if there had been none before. */
  restart(change: (result: Result) => void): void {
    for (const result of this.#results) change(result);
    this.#before = START;
    this.#changedFrom(0);
  }

  /**
   * Lets go of those that no check needs any more, and answers them: as many of the newest stay as a count looks at, those within the window
   * of the sum, and those of the day. Those of zero count for nothing.
   */
  prune(): readonly Result[] {
    const gone = this.#results.filter(isZero);
    this.#results = this.#results.filter((result) => !isZero(result));
    this.#changedFrom(gone.length === 0 ? this.#totals.length : 0);
    this.#count();
    const { max = 0, inLast } = this.#losses ?? {};
    const needed = Math.min(
      this.#placeOfNewest(Math.max(max, inLast?.results ?? 0)),
      this.#losses?.lossSum === undefined ? Infinity : this.#placeAfter(this.#sumSinceMs()),
      this.#daily === undefined ? Infinity : this.#placeOfDay(this.#daily),
    );
    this.#before = this.#totalsBefore(needed);
    this.#totals.splice(0, needed);
    return [...gone, ...this.#results.splice(0, needed)];
  }

  /** Could results up to then, that nobody has heard of, change what the checks find? */
  mayMiss(throughMs: number): boolean {
    if (throughMs === -Infinity) return false;
    const { counted, streak } = this.#count();
    const { max = 0, inLast, lossSum } = this.#losses ?? {};
    return (
      (streak === counted && counted < max) ||
      (inLast !== undefined && counted < inLast.results) ||
      (lossSum !== undefined && throughMs > this.#sumSinceMs()) ||
      (this.#daily !== undefined && throughMs >= dayStartMs(this.#day, this.#daily))
    );
  }

  judgeLosses(): CheckResult {
    if (this.#losses === undefined) return OFF;
    const { counted, streak, losses, lost } = this.#count();
    const { inLast, lossSum } = this.#losses;
    const figures = {
      streak,
      inLast: inLast === undefined ? 0 : losses - this.#totalsBefore(this.#placeOfNewest(inLast.results)).losses,
      lost: lossSum === undefined ? NOTHING : difference(lost, this.#totalsBefore(this.#placeAfter(this.#sumSinceMs())).lost),
    };
    return judgeLosses(counted === 0 ? undefined : figures, this.#losses);
  }

  judgeDay(): CheckResult {
    if (this.#daily === undefined) return OFF;
    if (this.#day === -Infinity) return passes('no_results', 'no result counts yet');
    const { net } = this.#count();
    return judgeDailyLoss(difference(net, this.#totalsBefore(this.#placeOfDay(this.#daily)).net), this.#daily);
  }

  // A day begins with any result, if only one of zero. A late result of an earlier day belongs to that day.
  #openDay(atMs: number): void {
    if (this.#daily !== undefined) this.#day = Math.max(this.#day, dayOf(atMs, this.#daily));
  }

  #changedFrom(place: number): void {
    this.#totals.length = Math.min(this.#totals.length, place);
  }

  /** Totals of all. */
  #count(): Totals {
    for (const result of this.#results.slice(this.#totals.length)) {
      this.#totals.push(totalsWith(this.#totals.at(-1) ?? this.#before, result));
    }
    return this.#totals.at(-1) ?? this.#before;
  }

  #totalsBefore(place: number): Totals {
    return this.#totals[Math.min(place, this.#totals.length) - 1] ?? this.#before;
  }

  /** Where the newest so many of those that count begin. */
  #placeOfNewest(count: number): number {
    const { counted } = this.#count();
    return firstPlace(this.#totals, (totals) => totals.counted > counted - count);
  }

  #placeAfter(ms: number): number {
    return firstPlace(this.#results, ({ closedAtMs }) => closedAtMs > ms);
  }

  #placeOfDay(daily: DailyLossOptions): number {
    const sinceMs = dayStartMs(this.#day, daily);
    return firstPlace(this.#results, ({ closedAtMs }) => closedAtMs >= sinceMs);
  }

  #sumSinceMs(): number {
    return this.#count().newestMs - (this.#losses?.lossSum?.windowMs ?? 0);
  }
}
