/** The results that the loss checks still need, each once, in the order of time. */
import type { ResultSource } from '../messages/result.js';
import { dayOf, judgeDailyLoss, judgeLosses } from './lossJudgement.js';
import { type CountedResult, isZero, readResult } from './lossResult.js';
import type { DailyLossOptions, LossOptions } from './options.js';
import { type CheckResult, OFF, passes, trips } from './result.js';

/** So many of the newest fills that were handed in are known by their ids: a repetition of an older one would be counted twice. */
export const KNOWN_FILLS = 10_000;

export interface LossFindings {
  readonly losses: CheckResult;
  readonly daily: CheckResult;
}

interface Entry extends CountedResult {
  /** The ledger that it came from; undefined where it was handed in by itself. */
  readonly source: ResultSource | undefined;
  /** Still counts for streaks and sums. */
  isCounted: boolean;
  /** Still counts for its day. */
  isOfDay: boolean;
}

/** What a result takes the place of: for each of its fills the entry that has it. */
type Known = readonly (Entry | undefined)[];

export class LossBook {
  readonly #losses: LossOptions | undefined;
  readonly #daily: DailyLossOptions | undefined;
  readonly #knownFills: number;
  readonly #byFill = new Map<string, Entry>();
  /** Fills that were handed in by themselves, in the order in which they came. */
  readonly #givenFills = new Set<string>();
  /** Oldest first, without results of zero. */
  #entries: Entry[] = [];
  #newestDay = -Infinity;
  /** Refusals that were told of, by the ledger that they happened in. */
  readonly #refusals = new WeakMap<ResultSource, number>();

  constructor(losses: LossOptions | undefined, daily: DailyLossOptions | undefined, knownFills = KNOWN_FILLS) {
    this.#losses = losses;
    this.#daily = daily;
    this.#knownFills = knownFills;
  }

  /** A fault, or what the checks find. */
  take(given: unknown, latestWallMs?: number): CheckResult | LossFindings {
    const fault = this.#takeOne(given, latestWallMs);
    if (fault !== undefined) return fault;
    this.#prune();
    return this.#judge();
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

  /** All that a ledger tells of a strategy, in the place of what it told before. */
  takeAll(source: ResultSource, strategy: string, latestWallMs: number): CheckResult | LossFindings {
    const results: { result: CountedResult; known: Known }[] = [];
    // A result that names no strategy may be anyone's.
    for (const given of [...source.closes({ strategy }), ...source.closes({ strategy: null })]) {
      const result = readResult(given, latestWallMs);
      if ('triggered' in result) return result;
      results.push({ result, known: this.#knownOf(result) });
    }
    this.#drop(new Set([...this.#byFill.values()].filter((entry) => entry.source === source)));
    this.#drop(new Set(results.flatMap(({ known }) => known)));
    for (const { result, known } of results) this.#add(result, known, source);
    this.#prune();
    return this.#judge();
  }

  /** Reports that a ledger has refused since it was last asked: told once, so that a reset takes them as seen. */
  newRefusals(source: ResultSource): CheckResult | undefined {
    const { count, latest } = source.refusals();
    const told = this.#refusals.get(source) ?? 0;
    // Written so that a count that is no number trips.
    if (count <= told) return undefined;
    this.#refusals.set(source, count);
    const message = `the ledger refused a fill, which may hide a loss: ${latest?.message ?? 'it does not say why'}`;
    return trips('fill_refused', message, { refused: count - told });
  }

  /** Counting begins again; a repetition of what was counted stays one. */
  restart({ rebase }: { readonly rebase: boolean }): void {
    for (const entry of this.#byFill.values()) {
      entry.isCounted = false;
      if (rebase) entry.isOfDay = false;
    }
    this.#prune();
  }

  #judge(): LossFindings {
    const counted = this.#entries.filter(({ isCounted }) => isCounted);
    return {
      losses: this.#losses === undefined ? OFF : judgeLosses(counted, this.#losses),
      daily: this.#daily === undefined ? OFF : this.#judgeDay(this.#daily),
    };
  }

  #judgeDay(options: DailyLossOptions): CheckResult {
    if (this.#newestDay === -Infinity) return passes('no_results', 'no result counts yet');
    return judgeDailyLoss(
      this.#entries.filter((entry) => this.#isOfNewestDay(entry)),
      options,
    );
  }

  #takeOne(given: unknown, latestWallMs: number | undefined): CheckResult | undefined {
    const result = readResult(given, latestWallMs);
    if ('triggered' in result) return result;
    const known = this.#knownOf(result);
    if (known.some((entry) => entry !== undefined)) this.#drop(new Set(known));
    this.#add(result, known, undefined);
    for (const fill of result.fills) {
      this.#givenFills.delete(fill);
      this.#givenFills.add(fill);
    }
    this.#forget();
    return undefined;
  }

  #knownOf({ fills }: CountedResult): Known {
    return fills.map((fill) => this.#byFill.get(fill));
  }

  #drop(entries: ReadonlySet<Entry | undefined>): void {
    this.#entries = this.#entries.filter((entry) => !entries.has(entry));
    for (const entry of entries) for (const fill of entry?.fills ?? []) this.#byFill.delete(fill);
  }

  #add(result: CountedResult, known: Known, source: ResultSource | undefined): void {
    // One that was counted before the last reset stays so, unless its order has filled on since.
    const isCounted = known.some((before) => before === undefined || before.isCounted);
    const isOfDay = known.some((before) => before === undefined || before.isOfDay);
    const entry = { ...result, source, isCounted, isOfDay };
    for (const fill of result.fills) this.#byFill.set(fill, entry);
    if (this.#daily !== undefined) this.#newestDay = Math.max(this.#newestDay, dayOf(entry.closedAtMs, this.#daily));
    if (isZero(entry)) return;
    const place = this.#entries.findLastIndex(({ closedAtMs }) => closedAtMs <= entry.closedAtMs) + 1;
    this.#entries.splice(place, 0, entry);
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
    const { max = 0, inLast, lossSum } = this.#losses ?? {};
    const counted = this.#entries.filter(({ isCounted }) => isCounted);
    const newest = new Set(counted.slice(Math.max(0, counted.length - Math.max(max, inLast?.results ?? 0))));
    const sinceMs = lossSum === undefined ? Infinity : (counted.at(-1)?.closedAtMs ?? -Infinity) - lossSum.windowMs;
    const isNeeded = (entry: Entry): boolean =>
      newest.has(entry) || (entry.isCounted && entry.closedAtMs > sinceMs) || this.#isOfNewestDay(entry);
    if (!this.#entries.every(isNeeded)) this.#entries = this.#entries.filter(isNeeded);
  }

  // A late result of an earlier day belongs to that day.
  #isOfNewestDay({ isOfDay, closedAtMs }: Entry): boolean {
    return isOfDay && this.#daily !== undefined && dayOf(closedAtMs, this.#daily) === this.#newestDay;
  }
}
