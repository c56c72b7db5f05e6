/** The ledger itself: finds the instrument of each report, turns what cannot be booked into a refusal, and answers questions. */
import { checkInteger, checkNumber } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import type { ResultNews } from '../messages/result.js';
import type { Book } from './book.js';
import { CloseLog } from './closeLog.js';
import { closesOf, consecutiveLosses, lossesInLast, lossSum } from './closes.js';
import { textOf } from './exact.js';
import { checkFill } from './fill.js';
import { bookId, Instrument, Unbookable } from './instrument.js';
import type { Ledger } from './ledger.js';
import { quantityOf } from './lots.js';
import type { CheckedLedgerOptions } from './options.js';
import type { Close, FillRefusal, LossCount, LossSum, OpenPosition, RealisedResult, RecordOutcome, ResultFilter } from './result.js';
import { type LedgerState, readSnapshot, writeSnapshot } from './snapshot.js';

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const instrumentId = (account: string, symbol: string): string => JSON.stringify([account, symbol]);
const sortKey = ({ key }: Book): string => `${instrumentId(key.account, key.symbol)}${bookId(key)}`;

function matches({ key }: Book, { account, symbol, strategy }: ResultFilter): boolean {
  return (
    (account === undefined || account === key.account) &&
    (symbol === undefined || symbol === key.symbol) &&
    (strategy === undefined || (strategy ?? undefined) === key.strategy)
  );
}

/** The message of an error that came out of a report's own getters, which may do anything. */
function refusalOf(thrown: unknown): FillRefusal {
  try {
    if (thrown instanceof ConfigurationError) {
      const { field, bound, message } = thrown;
      return { code: thrown instanceof Unbookable ? thrown.refusal : 'malformed', field, bound, message };
    }
  } catch {
    // What was thrown throws when it is looked at: it is no error of ours.
  }
  const bound = 'must be plain data';
  return { code: 'malformed', field: 'fill', bound, message: `fill: ${bound}` };
}

export class FifoLedger implements Ledger {
  readonly #options: CheckedLedgerOptions;
  readonly #instruments = new Map<string, Instrument>();
  #refused: LedgerState['refusals'];
  /** By strategy. */
  readonly #seen: Map<string, number>;
  /** By strategy, and by none. */
  readonly #logs = new Map<string | null, CloseLog>();

  constructor(options: CheckedLedgerOptions) {
    this.#options = options;
    const state: LedgerState =
      options.snapshot === undefined ? { instruments: [], refusals: { count: 0 }, seen: new Map() } : readSnapshot(options.snapshot);
    for (const instrument of state.instruments) this.#instruments.set(instrumentId(instrument.account, instrument.symbol), instrument);
    this.#refused = state.refusals;
    this.#seen = new Map(state.seen);
  }

  record(report: unknown): RecordOutcome {
    try {
      return this.#book(report);
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      this.#refused = { count: this.#refused.count + 1, latest: refusal };
      return { status: 'refused', refusal };
    }
  }

  results(filter: ResultFilter = {}): RealisedResult[] {
    const results = this.#books(filter).flatMap((book) => book.results());
    return results.toSorted((a, b) => a.closedAtMs - b.closedAtMs || (a.sequence ?? 0) - (b.sequence ?? 0));
  }

  closes(filter?: ResultFilter): Close[] {
    return closesOf(this.results(filter));
  }

  news({ strategy }: { readonly strategy: string | null }, place?: number): ResultNews {
    const log = this.#logOf(strategy);
    const since = place === undefined ? undefined : log.since(place);
    if (since !== undefined) return since;
    const forgottenThroughMs = this.#droppedThroughMs({ strategy }) ?? -Infinity;
    return { changes: [{ withdrawn: [], told: this.closes({ strategy }) }], place: log.place, isWhole: true, forgottenThroughMs };
  }

  consecutiveLosses(filter?: ResultFilter): LossCount {
    return consecutiveLosses(this.closes(filter), this.#droppedThroughMs(filter));
  }

  lossesInLast(closes: number, filter?: ResultFilter): LossCount {
    return lossesInLast(this.closes(filter), checkInteger('closes', closes, { min: 1 }), this.#droppedThroughMs(filter));
  }

  lossSum(windowMs: number, filter?: ResultFilter): LossSum {
    const sinceMs = this.#options.clock.wallMs() - checkNumber('windowMs', windowMs, { min: 1 });
    return lossSum(this.closes(filter), sinceMs, this.#droppedThroughMs(filter));
  }

  positions(filter: ResultFilter = {}): OpenPosition[] {
    return this.#books(filter).flatMap(({ key, position }) => {
      const quantity = quantityOf(position);
      const { account, symbol, strategy, positionSide } = key;
      const place = { account, symbol, ...(strategy === undefined ? {} : { strategy }), positionSide };
      return quantity.isZero() ? [] : [{ ...place, quantity: textOf(quantity) }];
    });
  }

  refusals(): LedgerState['refusals'] {
    return this.#refused;
  }

  refusalsSeen(strategy: string): number {
    return this.#seen.get(strategy) ?? 0;
  }

  takeRefusalsAsSeen(strategy: string, count: number): void {
    // Nobody has seen what has not happened yet.
    this.#seen.set(strategy, checkInteger('count', count, { min: 0, max: this.#refused.count }));
  }

  snapshot(): string {
    return writeSnapshot({ instruments: [...this.#instruments.values()], refusals: this.#refused, seen: this.#seen });
  }

  #book(input: unknown): RecordOutcome {
    const report = checkFill(input);
    const latestMs = this.#options.clock.wallMs() + this.#options.maxAheadMs;
    // Written so that a clock that is no number settles nothing.
    if (!(report.timeMs <= latestMs)) {
      throw new Unbookable(
        'too_far_ahead',
        'time',
        report.timeMs,
        `must be at most ${latestMs}, ${this.#options.maxAheadMs} ms ahead of the clock`,
      );
    }
    const id = instrumentId(report.account, report.symbol);
    const instrument = this.#instruments.get(id) ?? new Instrument(report.account, report.symbol);
    const { outcome, closes } = instrument.record(report, this.#options);
    this.#instruments.set(id, instrument);
    for (const { strategy, withdrawn, told } of closes) {
      if (withdrawn.length + told.length > 0) this.#logOf(strategy ?? null).add({ withdrawn, told });
    }
    return outcome;
  }

  #logOf(strategy: string | null): CloseLog {
    const log = this.#logs.get(strategy) ?? new CloseLog();
    this.#logs.set(strategy, log);
    return log;
  }

  /** In an order that does not depend on which was seen first. */
  #books(filter: ResultFilter): Book[] {
    const books = [...this.#instruments.values()].flatMap((instrument) => [...instrument.books.values()]);
    return books.filter((book) => matches(book, filter)).toSorted((a, b) => compareTexts(sortKey(a), sortKey(b)));
  }

  #droppedThroughMs(filter: ResultFilter = {}): number | undefined {
    const times = this.#books(filter).flatMap(({ droppedThroughMs }) => (droppedThroughMs === undefined ? [] : [droppedThroughMs]));
    return times.length === 0 ? undefined : Math.max(...times);
  }
}
