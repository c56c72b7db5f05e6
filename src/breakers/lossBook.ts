/** The results that the loss checks still need, each once, whoever told of it: handed in by themselves, or by a ledger that may take its word back. */
import { isolated } from '../logger.js';
import type { ResultSource } from '../messages/result.js';
import { type ListRead, readNews, type SourceList } from './lossNews.js';
import { type CountedResult, fillsOf, readResult } from './lossResult.js';
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
  /** Present where results that may matter were never heard of. */
  readonly missing?: CheckResult;
}

interface Entry extends TalliedResult {
  /** Where it came from; undefined where it was handed in by itself. */
  readonly list: SourceList | undefined;
  isCounted: boolean;
  isOfDay: boolean;
}

/** What a result takes the place of: for each of its fills the entry that has it. */
type Known = readonly (Entry | undefined)[];

export class LossBook {
  readonly #knownFills: number;
  readonly #byFill = new Map<string, Entry>();
  /** Fills that were handed in by themselves, in the order in which they came. */
  readonly #givenFills = new Set<string>();
  readonly #tally: LossTally<Entry>;
  /** So many results are let come together before those that no check needs are looked for. */
  #pruneAt = PRUNED_FROM;
  /** Refusals that were told of, by the ledger that they happened in. */
  readonly #refusals = new Map<ResultSource, { readonly count: number; readonly strategy: string }>();
  /** Of each ledger the results of the strategy, and those of none. */
  readonly #lists = new WeakMap<ResultSource, readonly SourceList[]>();

  constructor(losses: LossOptions | undefined, daily: DailyLossOptions | undefined, knownFills = KNOWN_FILLS) {
    this.#knownFills = knownFills;
    this.#tally = new LossTally(losses, daily);
  }

  /** How many results are kept. */
  get size(): number {
    return this.#tally.size;
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

  /** What a ledger has to tell since it was last asked. Where one of its results cannot be read, nothing is taken, and all is asked for again. */
  takeAll(source: ResultSource, strategy: string, latestWallMs: number): CheckResult | LossFindings {
    const reads: ListRead[] = [];
    for (const list of this.#listsOf(source, strategy)) {
      const read = readNews(source, list, latestWallMs);
      if ('triggered' in read) return read;
      reads.push(read);
    }
    for (const read of reads) this.#takeNews(read);
    const missedThroughMs = Math.max(...reads.map((read) => read.missedThroughMs));
    const isMissing = this.#tally.mayMiss(missedThroughMs);
    const found = this.#judge();
    if (!isMissing) return found;
    const message = 'the ledger no longer keeps results that may count: there may be more losses than these. See its keepResults';
    return { ...found, missing: trips('results_missing', message, { missedThroughMs }) };
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
    const begin = (entry: Entry): void => {
      entry.isCounted = false;
      if (rebase) entry.isOfDay = false;
    };
    for (const entry of this.#byFill.values()) begin(entry);
    this.#tally.restart(begin);
  }

  #judge(): LossFindings {
    this.#prune();
    return { losses: this.#tally.judgeLosses(), daily: this.#tally.judgeDay() };
  }

  #takeOne(given: unknown, latestWallMs: number | undefined): CheckResult | undefined {
    const result = readResult(given, latestWallMs);
    if ('triggered' in result) return result;
    const known = this.#knownOf(result);
    this.#drop(known);
    // The ledger that had told of it is asked for everything again: its word is the last.
    for (const before of known) if (before?.list !== undefined) before.list.place = undefined;
    this.#add(result, known, undefined);
    for (const fill of result.fills) {
      this.#givenFills.delete(fill);
      this.#givenFills.add(fill);
    }
    this.#forget();
    return undefined;
  }

  #takeNews({ list, place, changes, isWhole, forgottenThroughMs }: ListRead): void {
    for (const { withdrawn, told } of changes) {
      const results = told.map((result) => ({ result, known: this.#knownOf(result) }));
      const gone = isWhole
        ? this.#noLongerOf(list, forgottenThroughMs)
        : withdrawn.flatMap((one) => this.#knownOf({ fills: fillsOf(one) }));
      this.#drop(gone.filter((entry) => entry?.list === list));
      for (const { known } of results) this.#drop(known);
      for (const { result, known } of results) this.#add(result, known, list);
    }
    list.place = place;
    list.wasRead = true;
  }

  /** All that a list has told before, except what it no longer keeps: that was not taken back. */
  #noLongerOf(list: SourceList, forgottenThroughMs: number): Known {
    return [...this.#byFill.values()].filter((entry) => entry.list === list && entry.closedAtMs > forgottenThroughMs);
  }

  #listsOf(source: ResultSource, strategy: string): readonly SourceList[] {
    // A result that names no strategy may be anyone's.
    const lists = this.#lists.get(source) ?? [strategy, null].map((name) => ({ strategy: name, place: undefined, wasRead: false }));
    this.#lists.set(source, lists);
    return lists;
  }

  #knownOf({ fills }: Pick<CountedResult, 'fills'>): Known {
    return fills.map((fill) => this.#byFill.get(fill));
  }

  #drop(entries: Known): void {
    for (const entry of entries) {
      if (entry === undefined) continue;
      this.#tally.remove(entry);
      this.#forgetFillsOf(entry);
    }
  }

  #forgetFillsOf(entry: Entry): void {
    for (const fill of entry.fills) if (this.#byFill.get(fill) === entry) this.#byFill.delete(fill);
  }

  #add(result: CountedResult, known: Known, list: SourceList | undefined): void {
    // One that was counted before the last reset stays so, unless its order has filled on since.
    const isCounted = known.some((before) => before === undefined || before.isCounted);
    const isOfDay = known.some((before) => before === undefined || before.isOfDay);
    const entry = { ...result, list, isCounted, isOfDay };
    for (const fill of result.fills) this.#byFill.set(fill, entry);
    this.#tally.add(entry);
  }

  #forget(): void {
    for (const fill of this.#givenFills) {
      if (this.#givenFills.size <= this.#knownFills) return;
      this.#givenFills.delete(fill);
      if (this.#byFill.get(fill)?.list === undefined) this.#byFill.delete(fill);
    }
  }

  #prune(): void {
    if (this.#tally.size < this.#pruneAt) return;
    // A ledger tells of no fill twice; what was handed in by itself may be handed in again.
    for (const entry of this.#tally.prune()) if (entry.list !== undefined) this.#forgetFillsOf(entry);
    // Looked through once in as many results as are kept.
    this.#pruneAt = Math.max(PRUNED_FROM, 2 * this.#tally.size);
  }
}
