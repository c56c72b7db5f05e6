/** The results that the loss checks still need, each once, in the order of time. */
import { isolated } from '../logger.js';
import type { BreakerResult, ResultSource } from '../messages/result.js';
import { dayOf } from './lossJudgement.js';
import { type CountedResult, fillsOf, isZero, readResult } from './lossResult.js';
import { LossTally, type TalliedResult } from './lossTally.js';
import type { DailyLossOptions, LossOptions } from './options.js';
import { type CheckResult, trips } from './result.js';

/** So many of the newest fills that were handed in are known by their ids: a repetition of an older one would be counted twice. */
export const KNOWN_FILLS = 10_000;

/** Fewer are not worth looking through. */
const PRUNED_FROM = 64;

export interface LossFindings {
  readonly losses: CheckResult;
  readonly daily: CheckResult;
}

interface Entry extends TalliedResult {
  /** The ledger that it came from; undefined where it was handed in by itself. */
  readonly source: ResultSource | undefined;
  isCounted: boolean;
  isOfDay: boolean;
}

/** What a result takes the place of: for each of its fills the entry that has it. */
type Known = readonly (Entry | undefined)[];

interface Change {
  readonly removed: readonly BreakerResult[];
  readonly added: readonly BreakerResult[];
}

/** What is between the part that a list has begun with and the part that it ends with is new. Old ones leave at its beginning, too. */
function changeOf(before: readonly BreakerResult[], after: readonly BreakerResult[]): Change {
  const left = Math.max(
    0,
    before.findIndex((one) => one === after[0]),
  );
  let same = 0;
  while (left + same < before.length && same < after.length && before[left + same] === after[same]) same += 1;
  return { removed: [...before.slice(0, left), ...before.slice(left + same)], added: after.slice(same) };
}

export class LossBook {
  readonly #losses: LossOptions | undefined;
  readonly #daily: DailyLossOptions | undefined;
  readonly #knownFills: number;
  readonly #byFill = new Map<string, Entry>();
  /** Fills that were handed in by themselves, in the order in which they came. */
  readonly #givenFills = new Set<string>();
  /** Oldest first, without results of zero. */
  #entries: Entry[] = [];
  readonly #tally: LossTally;
  /** Something has changed among the older entries since they were counted. */
  #isRecounted = true;
  /** So many entries are let come together before those that no check needs are looked for. */
  #pruneAt = PRUNED_FROM;
  /** Refusals that were told of, by the ledger that they happened in. */
  readonly #refusals = new Map<ResultSource, { readonly count: number; readonly strategy: string }>();
  /** What each ledger told last: of the strategy, and of none. */
  readonly #told = new WeakMap<ResultSource, readonly (readonly BreakerResult[])[]>();

  constructor(losses: LossOptions | undefined, daily: DailyLossOptions | undefined, knownFills = KNOWN_FILLS) {
    this.#losses = losses;
    this.#daily = daily;
    this.#knownFills = knownFills;
    this.#tally = new LossTally(losses, daily);
  }

  /** A fault, or what the checks find. */
  take(given: unknown, latestWallMs?: number): CheckResult | LossFindings {
    return this.#takeOne(given, latestWallMs) ?? this.#judge();
  }

  /** The same for a whole list; a fault with its place in it. */
  takeList(given: unknown): CheckResult | LossFindings {
    if (!Array.isArray(given)) return trips('pnl_invalid', 'there is no list of results');
    const list: readonly unknown[] = given;
    for (let index = 0; index < list.length; index += 1) {
      const fault = this.#takeOne(list[index], undefined);
      if (fault !== undefined) return { ...fault, details: { index } };
    }
    return this.#judge();
  }

  /** All that a ledger tells of a strategy, in the place of what it told before. A result that it tells in the same words is not read again. */
  takeAll(source: ResultSource, strategy: string, latestWallMs: number): CheckResult | LossFindings {
    const before = this.#told.get(source);
    // A result that names no strategy may be anyone's.
    const lists = [source.closes({ strategy }), source.closes({ strategy: null })];
    const changes = lists.map((list, index) => changeOf(before?.[index] ?? [], list));
    const results: { result: CountedResult; known: Known }[] = [];
    for (const given of changes.flatMap(({ added }) => added)) {
      const result = readResult(given, latestWallMs);
      if ('triggered' in result) return result;
      results.push({ result, known: this.#knownOf(result) });
    }
    const gone =
      before === undefined
        ? [...this.#byFill.values()].filter((entry) => entry.source === source)
        : changes.flatMap(({ removed }) => removed).flatMap((one) => this.#knownOf({ fills: fillsOf(one) }));
    const replaced = new Set([...gone, ...results.flatMap(({ known }) => known)].filter((entry) => entry !== undefined));
    if (replaced.size > 0) this.#drop(replaced);
    for (const { result, known } of results) this.#add(result, known, source);
    this.#told.set(source, lists);
    return this.#judge();
  }

  /** Reports that a ledger has refused since it was last asked: told once, so that a reset takes them as seen. */
  newRefusals(source: ResultSource, strategy: string): CheckResult | undefined {
    const { count, latest } = source.refusals();
    const told = this.#refusals.get(source)?.count ?? source.refusalsSeen?.(strategy) ?? 0;
    // Written so that a count that is no number trips.
    if (count <= told) return undefined;
    this.#refusals.set(source, { count, strategy });
    const message = `the ledger refused a fill, which may hide a loss: ${latest?.message ?? 'it does not say why'}`;
    return trips('fill_refused', message, { refused: count - told });
  }

  /** Counting begins again; a repetition of what was counted stays one. */
  restart({ rebase }: { readonly rebase: boolean }): void {
    // A ledger that fails to keep it makes them trip again, and no reset fail.
    for (const [source, { count, strategy }] of this.#refusals) isolated(() => source.takeRefusalsAsSeen?.(strategy, count));
    for (const entry of this.#byFill.values()) {
      entry.isCounted = false;
      if (rebase) entry.isOfDay = false;
    }
    this.#isRecounted = false;
  }

  #judge(): LossFindings {
    if (!this.#isRecounted) this.#tally.recount(this.#entries);
    this.#isRecounted = true;
    this.#prune();
    return { losses: this.#tally.judgeLosses(), daily: this.#tally.judgeDay() };
  }

  #takeOne(given: unknown, latestWallMs: number | undefined): CheckResult | undefined {
    const result = readResult(given, latestWallMs);
    if ('triggered' in result) return result;
    const known = this.#knownOf(result);
    const replaced = new Set(known.filter((entry) => entry !== undefined));
    if (replaced.size > 0) this.#drop(replaced);
    // The ledger that had told of it is asked for everything again: its word is the last.
    for (const { source } of replaced) if (source !== undefined) this.#told.delete(source);
    this.#add(result, known, undefined);
    for (const fill of result.fills) {
      this.#givenFills.delete(fill);
      this.#givenFills.add(fill);
    }
    this.#forget();
    return undefined;
  }

  #knownOf({ fills }: Pick<CountedResult, 'fills'>): Known {
    return fills.map((fill) => this.#byFill.get(fill));
  }

  #drop(entries: ReadonlySet<Entry>): void {
    this.#entries = this.#entries.filter((entry) => !entries.has(entry));
    this.#isRecounted = false;
    for (const entry of entries) for (const fill of entry.fills) this.#byFill.delete(fill);
  }

  #add(result: CountedResult, known: Known, source: ResultSource | undefined): void {
    // One that was counted before the last reset stays so, unless its order has filled on since.
    const isCounted = known.some((before) => before === undefined || before.isCounted);
    const isOfDay = known.some((before) => before === undefined || before.isOfDay);
    const entry = { ...result, source, isCounted, isOfDay };
    for (const fill of result.fills) this.#byFill.set(fill, entry);
    this.#tally.openDay(entry.closedAtMs);
    if (isZero(entry)) return;
    const place = this.#entries.findLastIndex(({ closedAtMs }) => closedAtMs <= entry.closedAtMs) + 1;
    if (place < this.#entries.length) this.#isRecounted = false;
    this.#entries.splice(place, 0, entry);
    if (this.#isRecounted) this.#tally.append(entry);
  }

  #forget(): void {
    for (const fill of this.#givenFills) {
      if (this.#givenFills.size <= this.#knownFills) return;
      this.#givenFills.delete(fill);
      if (this.#byFill.get(fill)?.source === undefined) this.#byFill.delete(fill);
    }
  }

  // Kept: as many of the newest as a count looks at, those within the window of the sum, and those of the day.
  #prune(): void {
    if (this.#entries.length < this.#pruneAt) return;
    const { max = 0, inLast, lossSum } = this.#losses ?? {};
    const counted = this.#entries.filter(({ isCounted }) => isCounted);
    const newest = new Set(counted.slice(Math.max(0, counted.length - Math.max(max, inLast?.results ?? 0))));
    const sinceMs = lossSum === undefined ? Infinity : (counted.at(-1)?.closedAtMs ?? -Infinity) - lossSum.windowMs;
    this.#entries = this.#entries.filter(
      (entry) => newest.has(entry) || (entry.isCounted && entry.closedAtMs > sinceMs) || this.#isOfNewestDay(entry),
    );
    this.#tally.trim(this.#entries);
    // Looked through once in as many results as are kept.
    this.#pruneAt = Math.max(PRUNED_FROM, 2 * this.#entries.length);
  }

  #isOfNewestDay({ isOfDay, closedAtMs }: Entry): boolean {
    return isOfDay && this.#daily !== undefined && dayOf(closedAtMs, this.#daily) === this.#tally.newestDay;
  }
}
