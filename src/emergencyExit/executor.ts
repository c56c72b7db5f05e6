/** Runs one incident at the venue, round by round: read the book, plan, act, judge, until it is over. */
import type { Broker, BrokerCapabilities } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { type Book, isEmpty, type LegKey, legKey, type ReadBook, readBook } from './book.js';
import { CloseSteps, intactSettlement, type LegSettlement } from './closeSteps.js';
import type { ExitLedger } from './ledger.js';
import { inheritLegs, type Leg, newLeg, withReading } from './legs.js';
import type { ExitTimings } from './options.js';
import { type ExitStep, mayCloseNow, type PlanExit, planExit } from './plan.js';
import { createVenueCalls } from './venueCalls.js';
import { isQuiet, type JudgeExit, type Judgement, judgeExit } from './verdict.js';

/** The replaceable decisions of an exit. Production uses {@link intactExitParts} only. */
export interface ExitParts {
  readonly readBook: ReadBook;
  readonly plan: PlanExit;
  readonly judge: JudgeExit;
  readonly settlement: LegSettlement;
}

export const intactExitParts: ExitParts = { readBook, plan: planExit, judge: judgeExit, settlement: intactSettlement };

export interface ExitRun {
  readonly broker: Broker;
  readonly ledger: ExitLedger;
  readonly clock: Clock;
  readonly timings: ExitTimings;
  /** Runs tasks with bounded concurrency. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
  /** Told of each new verdict; the exit goes on after all but `flat` and `dust`. */
  readonly onVerdict: (judgement: Exclude<Judgement, { kind: 'continue' }>, progress: ExitProgress) => Promise<void>;
}

export interface ExitProgress {
  /** Positions that were seen open at any time of this run. */
  readonly total: number;
  readonly closed: number;
  readonly openSymbols: readonly string[];
}

/** `over`: flat or dust was said. `stopped`: the signal, or the claim went to another worker. */
export type ExitEnd = 'over' | 'stopped';

export async function runExit(run: ExitRun, parts: ExitParts = intactExitParts): Promise<ExitEnd> {
  return new ExitRunner(run, parts).run();
}

class ExitRunner {
  readonly #run: ExitRun;
  readonly #parts: ExitParts;
  readonly #steps: CloseSteps;
  #legs = new Map<LegKey, Leg>();
  #quietReadsMs: number[] = [];
  readonly #seen = new Set<LegKey>();
  readonly #startedMs: number;
  #lastVerdict = '';
  #failedReads = 0;

  constructor(run: ExitRun, parts: ExitParts) {
    this.#run = run;
    this.#parts = parts;
    this.#startedMs = run.clock.monotonicMs();
    this.#steps = new CloseSteps({
      calls: createVenueCalls(run.broker, run.clock, run.timings),
      clock: run.clock,
      ledger: run.ledger,
      timings: run.timings,
      settlement: parts.settlement,
      reread: () => parts.readBook(run.broker, run.clock, run.timings.readTimeoutMs),
      update: (leg) => this.#legs.set(leg.key, leg),
      leg: (key) => this.#legs.get(key),
    });
  }

  async run(): Promise<ExitEnd> {
    const { ledger, clock, signal } = this.#run;
    const capabilities = await this.#capabilities();
    if (capabilities === undefined) return 'stopped';
    this.#legs = inheritLegs(await ledger.inherited(), clock.monotonicMs());
    while (!signal.aborted && ledger.mayAct()) {
      const book = await this.#read(capabilities);
      const steps = this.#parts.plan(this.#view(book, capabilities));
      await this.#act(steps, capabilities);
      if (await this.#judge(book, capabilities)) return 'over';
      if (steps.length === 0) await clock.sleep(this.#pauseMs(book, capabilities), signal);
    }
    return 'stopped';
  }

  async #capabilities(): Promise<BrokerCapabilities | undefined> {
    const { broker, clock, ledger, signal, timings } = this.#run;
    for (let pauseMs = timings.pollMs; !signal.aborted && ledger.mayAct(); pauseMs = Math.min(pauseMs * 2, 1_000)) {
      try {
        return await broker.capabilities(signal);
      } catch (error) {
        ledger.progressed();
        ledger.note('exit.read_failed', 'venue capabilities could not be read', { error: String(error) });
        await clock.sleep(pauseMs, signal);
      }
    }
    return undefined;
  }

  async #read(capabilities: BrokerCapabilities): Promise<Book | undefined> {
    const { broker, clock, ledger, timings } = this.#run;
    const reading = await this.#parts.readBook(broker, clock, timings.readTimeoutMs);
    ledger.progressed();
    if (!reading.ok) {
      // A gap in the readings could hide a fill: quiet counts from the next reading on.
      this.#quietReadsMs = [];
      if (this.#failedReads++ === 0) ledger.note('exit.read_failed', reading.problem, {});
      return undefined;
    }
    this.#failedReads = 0;
    this.#compare(reading.book);
    if (isQuiet(reading.book, this.#legs, capabilities)) this.#quietReadsMs.push(reading.book.sentMs);
    else this.#quietReadsMs = [];
    // Only the ends matter to the verdict; the middle of a long watch is dropped.
    if (this.#quietReadsMs.length > 64) this.#quietReadsMs.splice(32, 16);
    return reading.book;
  }

  #compare(book: Book): void {
    const quantities = new Map(book.positions.map((position) => [legKey(position), position] as const));
    for (const position of book.positions) {
      const key = legKey(position);
      this.#seen.add(key);
      if (!this.#legs.has(key)) this.#legs.set(key, newLeg(position.symbol, position.positionSide));
    }
    for (const leg of this.#legs.values()) this.#legs.set(leg.key, withReading(leg, quantities.get(leg.key)?.quantity ?? 0, book.sentMs));
  }

  #view(book: Book | undefined, capabilities: BrokerCapabilities) {
    const { clock, ledger, timings } = this.#run;
    const nowMs = clock.monotonicMs();
    const closingAllowed = mayCloseNow(ledger.drain(), capabilities, this.#startedMs, timings.drainGraceMs, nowMs);
    return { nowMs, book, legs: this.#legs, capabilities, closingAllowed, settleMs: timings.settleMs };
  }

  async #act(steps: readonly ExitStep[], capabilities: BrokerCapabilities): Promise<void> {
    const keepAlive = this.#steps.keepClaim();
    try {
      await Promise.all(steps.map((step) => this.#run.limit(() => this.#steps.carryOut(step, capabilities))));
    } finally {
      keepAlive.cancel();
    }
  }

  /** True when the incident is over. */
  async #judge(book: Book | undefined, capabilities: BrokerCapabilities): Promise<boolean> {
    const { clock, ledger, timings } = this.#run;
    const judgement = this.#parts.judge({
      nowMs: clock.monotonicMs(),
      startedMs: this.#startedMs,
      book,
      quietReadsMs: this.#quietReadsMs,
      legs: this.#legs,
      capabilities,
      drain: ledger.drain(),
      deadlineMs: timings.deadlineMs,
      confirmGapMs: timings.pollMs,
    });
    if (judgement.kind === 'continue') return false;
    if (!ledger.mayAct()) return false;
    if (judgement.verdict !== this.#lastVerdict) {
      this.#lastVerdict = judgement.verdict;
      await this.#run.onVerdict(judgement, this.#progress(book));
    }
    return judgement.verdict === 'flat' || judgement.verdict === 'dust';
  }

  #progress(book: Book | undefined): ExitProgress {
    const open = new Set((book?.positions ?? []).map(legKey));
    const openSymbols = [...this.#seen].filter((key) => open.has(key)).map((key) => this.#legs.get(key)?.symbol ?? key);
    return { total: this.#seen.size, closed: this.#seen.size - openSymbols.length, openSymbols };
  }

  #pauseMs(book: Book | undefined, capabilities: BrokerCapabilities): number {
    const { clock, ledger, timings } = this.#run;
    if (book === undefined) return Math.min(timings.pollMs * 2 ** Math.min(this.#failedReads, 4), 500);
    if (!isEmpty(book) || !isQuiet(book, this.#legs, capabilities)) return timings.pollMs;
    // Nothing to do but to watch: slowly, yet awake when the horizon passes.
    const { horizonMs } = ledger.drain();
    const toHorizonMs = horizonMs === undefined ? timings.pollMs : horizonMs + capabilities.readLagMs - clock.monotonicMs();
    return toHorizonMs > 0 ? Math.min(timings.watchMs, toHorizonMs) : this.#lastVerdict === '' ? timings.pollMs : timings.watchMs;
  }
}
