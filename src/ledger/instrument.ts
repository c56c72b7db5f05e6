/** All fills of one symbol in one account: known by id, ordered by time, settled once they are older than the horizon. */
import { ConfigurationError } from '../errors.js';
import { Book, type BookChange, type BookKey } from './book.js';
import type { CloseChange } from './closeLog.js';
import { type CheckedBust, type CheckedFill, type CheckedReport, plainReport } from './fill.js';
import type { FillRefusalCode, RealisedResult, RecordOutcome, ResultChanges } from './result.js';

/** A report that cannot be booked; the ledger turns it into a refusal. */
export class Unbookable extends ConfigurationError {
  readonly refusal: FillRefusalCode;

  constructor(refusal: FillRefusalCode, field: string, value: unknown, bound: string) {
    super(field, value, bound);
    this.refusal = refusal;
  }
}

/** What has become of the closes of one strategy. */
export interface StrategyCloses extends CloseChange {
  readonly strategy: string | undefined;
}

/** What a report did, and to which closes. */
export interface Recorded {
  readonly outcome: RecordOutcome;
  readonly closes: readonly StrategyCloses[];
}

export interface InstrumentOptions {
  readonly horizonMs: number;
  readonly keepResults: number;
}

export const bookId = ({ strategy, positionSide }: Pick<BookKey, 'strategy' | 'positionSide'>): string =>
  JSON.stringify([strategy ?? null, positionSide]);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

interface InstrumentChange extends BookChange {
  readonly strategy: string | undefined;
}

/** What a change did to results: those that are new or different, and those that no longer hold as they were told. */
function differences(changes: readonly BookChange[]): ResultChanges {
  const before = changes.flatMap((change) => change.before);
  const after = changes.flatMap((change) => change.after);
  const notAmong = (others: readonly RealisedResult[]): ((result: RealisedResult) => boolean) => {
    const byId = new Map(others.map((other) => [other.id, other]));
    return (result) => !same(byId.get(result.id), result);
  };
  return { realised: after.filter(notAmong(before)), withdrawn: before.filter(notAmong(after)) };
}

export class Instrument {
  readonly account: string;
  readonly symbol: string;
  readonly books = new Map<string, Book>();
  readonly #known = new Map<string, CheckedReport>();
  #busts: CheckedBust[] = [];
  #settledBeforeMs: number;

  constructor(account: string, symbol: string, settledBeforeMs = -Infinity) {
    this.account = account;
    this.symbol = symbol;
    this.#settledBeforeMs = settledBeforeMs;
  }

  /** Anything older is refused. Never falls, also when the newest fill is busted. */
  get settledBeforeMs(): number {
    return this.#settledBeforeMs;
  }

  get busts(): readonly CheckedBust[] {
    return this.#busts;
  }

  /** Throws {@link Unbookable}, and has then changed nothing. */
  record(report: CheckedReport, { horizonMs, keepResults }: InstrumentOptions): Recorded {
    const known = this.#known.get(report.id);
    if (known !== undefined && report.revision <= known.revision) {
      if (report.revision < known.revision) return { outcome: { status: 'superseded' }, closes: [] };
      if (same(plainReport(report), plainReport(known))) return { outcome: { status: 'duplicate' }, closes: [] };
      throw new Unbookable(
        'conflict',
        'revision',
        report.revision,
        `must be above ${known.revision} where fill ${report.id} differs from what is known`,
      );
    }
    if (report.timeMs < this.#settledBeforeMs) {
      throw new Unbookable('too_late', 'time', report.timeMs, `must be at least ${this.#settledBeforeMs}: older fills are settled`);
    }
    const changes = this.#replace(known, report);
    this.#settle(report.timeMs - horizonMs, keepResults);
    const status = report.kind === 'bust' ? 'busted' : known === undefined ? 'recorded' : 'corrected';
    return { outcome: { status, ...differences(changes) }, closes: changes.map(({ strategy, closes }) => ({ strategy, ...closes })) };
  }

  /** Puts back what a snapshot holds. */
  restore(report: CheckedReport): void {
    this.#replace(undefined, report);
  }

  #replace(known: CheckedReport | undefined, report: CheckedReport): InstrumentChange[] {
    this.#known.set(report.id, report);
    if (known?.kind === 'bust') this.#busts = this.#busts.filter((bust) => bust !== known);
    if (report.kind === 'bust') this.#busts.push(report);
    const remove = known?.kind === 'fill' ? known : undefined;
    const insert = report.kind === 'fill' ? report : undefined;
    const isMoved = remove !== undefined && insert !== undefined && bookId(remove) !== bookId(insert);
    if (!isMoved) return this.#change(insert ?? remove, { remove, insert });
    return [...this.#change(remove, { remove }), ...this.#change(insert, { insert })];
  }

  #change(place: CheckedFill | undefined, change: Parameters<Book['change']>[0]): InstrumentChange[] {
    return place === undefined ? [] : [{ strategy: place.strategy, ...this.#bookOf(place).change(change) }];
  }

  #bookOf({ strategy, positionSide }: CheckedFill): Book {
    const key = { account: this.account, symbol: this.symbol, strategy, positionSide };
    const book = this.books.get(bookId(key)) ?? new Book(key);
    this.books.set(bookId(key), book);
    return book;
  }

  #settle(beforeMs: number, keepResults: number): void {
    this.#settledBeforeMs = Math.max(this.#settledBeforeMs, beforeMs);
    for (const book of this.books.values()) {
      for (const { id } of book.settle(this.#settledBeforeMs, keepResults)) this.#known.delete(id);
    }
    const settled = this.#busts.filter(({ timeMs }) => timeMs < this.#settledBeforeMs);
    if (settled.length === 0) return;
    for (const { id } of settled) this.#known.delete(id);
    this.#busts = this.#busts.filter(({ timeMs }) => timeMs >= this.#settledBeforeMs);
  }
}
