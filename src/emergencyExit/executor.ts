/** Runs one incident at the venue, round by round: read the book, plan, act, judge, until it is over. */
import type { BrokerCapabilities, WorkingOrder } from '../broker/broker.js';
import {
  type Book,
  type BookReading,
  isEmpty,
  type LegKey,
  legKey,
  onlyReduces,
  orderKey,
  type ReadBook,
  type ReadOrders,
  readBook,
  readOrders,
} from './book.js';
import { CancelLane } from './cancels.js';
import { readCapabilities } from './capabilities.js';
import { CloseSteps, intactSettlement, type LegSettlement } from './closeSteps.js';
import type { ExitEnd, ExitProgress, ExitRun } from './exitRun.js';
import { inheritLegs, type Leg, newLeg, withOpenOrders, withReading } from './legs.js';
import { type ExitStep, type ExitView, mayCloseNow, type PlanExit, planExit } from './plan.js';
import { QuietReads } from './quietReads.js';
import { repeatEvery } from './repeat.js';
import { type UnclearAttempts, unclearAttempts } from './unclear.js';
import { createVenueCalls } from './venueCalls.js';
import { VenueReach } from './venueReach.js';
import { isQuiet, type JudgeExit, judgeExit } from './verdict.js';

/** The replaceable decisions of an exit. Production uses {@link intactExitParts} only. */
export interface ExitParts {
  readonly readOrders: ReadOrders;
  readonly readBook: ReadBook;
  readonly plan: PlanExit;
  readonly judge: JudgeExit;
  readonly settlement: LegSettlement;
}

export const intactExitParts: ExitParts = { readOrders, readBook, plan: planExit, judge: judgeExit, settlement: intactSettlement };

/** Works on one account until {@link ExitEnd}. Throws only where the ledger cannot be read; whatever the venue does is waited out. */
export async function runExit(run: ExitRun, parts: ExitParts = intactExitParts): Promise<ExitEnd> {
  return new ExitRunner(run, parts).run();
}

interface Sweep {
  /** The venue confirmed each cancel. */
  readonly complete: boolean;
  readonly orders: ReadonlySet<string>;
}

/** How many turns before its own a close is written down: about as many as are sent at the same time. */
const WRITTEN_AHEAD = 10;
/** How often it is looked whether the holders have drained. */
const DRAIN_LOOK_MS = 5;

class ExitRunner {
  readonly #run: ExitRun;
  readonly #parts: ExitParts;
  readonly #steps: CloseSteps;
  readonly #cancels: CancelLane;
  #legs = new Map<LegKey, Leg>();
  readonly #quiet: QuietReads;
  readonly #seen = new Set<LegKey>();
  readonly #startedMs: number;
  readonly #reach: VenueReach;
  #lastSaid = '';
  #failedReads = 0;
  #lastBook: Book | undefined;
  #unclear: UnclearAttempts | undefined;
  /** Since when closing has been allowed without a break. */
  #allowedSinceMs: number | undefined;
  #drainedSinceMs: number | undefined;

  constructor(run: ExitRun, parts: ExitParts) {
    this.#run = run;
    this.#parts = parts;
    this.#startedMs = run.clock.monotonicMs();
    this.#quiet = new QuietReads(run.timings.pollMs);
    this.#reach = new VenueReach(run.clock, run.outOfReachMs ?? Infinity);
    this.#steps = new CloseSteps({
      calls: createVenueCalls(run.broker, run.clock, run.timings),
      clock: run.clock,
      ledger: run.ledger,
      timings: run.timings,
      settlement: parts.settlement,
      signal: run.signal,
      reread: () => parts.readBook(run.broker, run.clock, run.timings.readTimeoutMs),
      update: (leg) => this.#legs.set(leg.key, leg),
      leg: (key) => this.#legs.get(key),
    });
    this.#cancels = new CancelLane({
      clock: run.clock,
      patienceMs: run.timings.readTimeoutMs,
      limit: run.limitCancels,
      cancel: (order) => this.#steps.cancel(order),
    });
  }

  async run(): Promise<ExitEnd> {
    const { broker, ledger, clock, timings, remembered } = this.#run;
    // Every call of the venue is bounded, so waiting for one is progress, too; waiting for a venue that is out of reach is not.
    const keepAlive = repeatEvery(clock, timings.claimMs / 4, () => this.#reach.isLost() || ledger.progressed());
    let isOver = false;
    try {
      const mayBegin = this.#run.mayBegin?.() ?? Promise.resolve(true);
      const working = this.#run.working ?? this.#parts.readOrders(broker, clock, timings.readTimeoutMs);
      const [capabilities, inherited, begins] = await Promise.all([
        readCapabilities(this.#run, this.#reach, () => this.#mayGoOn()),
        ledger.inherited(),
        mayBegin,
      ]);
      if (capabilities === undefined || !begins) return this.#unfinished();
      this.#legs = inheritLegs(inherited.attempts, clock.monotonicMs());
      remembered.recall(this.#legs, ledger, clock.monotonicMs());
      this.#unclear = unclearAttempts(inherited.unreadable, capabilities, this.#startedMs, timings);
      for (const key of this.#legs.keys()) this.#seen.add(key);
      let sweep: Promise<Sweep> | undefined = this.#sweep(await working);
      // Its failure is heard by the first round: until then nobody waits for it, and it must not end the process.
      sweep.catch(() => undefined);
      await this.#untilDrained();
      while (this.#mayGoOn()) {
        isOver = await this.#round(capabilities, sweep);
        if (isOver) return 'over';
        sweep = undefined;
      }
      await this.#steps.giveBackStops(capabilities);
      return this.#unfinished();
    } finally {
      keepAlive.cancel();
      remembered.remember(this.#legs, ledger, isOver);
    }
  }

  #mayGoOn(): boolean {
    return !this.#run.signal.aborted && this.#run.ledger.mayAct() && !this.#reach.isLost();
  }

  #unfinished(): ExitEnd {
    return this.#run.signal.aborted || !this.#run.ledger.mayAct() ? 'stopped' : 'out_of_reach';
  }

  /** Working orders are withdrawn while holders still drain. What is not seen or not confirmed here is left to the rounds. */
  async #sweep(orders: readonly WorkingOrder[]): Promise<Sweep> {
    const own = new Set([...this.#legs.values()].map((leg) => leg.last?.clientOrderId));
    const strangers = orders.filter((order) => !onlyReduces(order) && !own.has(order.clientOrderId));
    const canceled = await this.#cancels.cancel(strangers);
    return { complete: canceled.every(Boolean), orders: new Set(strangers.map(orderKey)) };
  }

  /** A reading from before the last holder drained could not be closed on: so none is asked for, as long as the grace lasts. */
  async #untilDrained(): Promise<void> {
    const { ledger, clock, signal, timings } = this.#run;
    const untilMs = this.#startedMs + timings.drainGraceMs;
    while (!signal.aborted && ledger.mayAct() && clock.monotonicMs() < untilMs && ledger.drain().silentHolders.length > 0) {
      await clock.sleep(DRAIN_LOOK_MS, signal);
    }
  }

  /** True when the incident is over. */
  async #round(capabilities: BrokerCapabilities, sweep: Promise<Sweep> | undefined): Promise<boolean> {
    const { clock, signal, timings } = this.#run;
    const book = await this.#read(capabilities, sweep);
    const steps = this.#parts.plan(this.#view(book, capabilities));
    const moved = await this.#carryOut(steps, capabilities);
    if (await this.#judge(book, capabilities)) return true;
    if (steps.length === 0) await clock.sleep(this.#pauseMs(book, capabilities), signal);
    // A venue that fails at once must not be asked at full speed.
    else if (!moved.some(Boolean)) await clock.sleep(timings.pollMs, signal);
    return false;
  }

  /** Whether anything moved, for each step that could be begun. */
  async #carryOut(steps: readonly ExitStep[], capabilities: BrokerCapabilities): Promise<readonly boolean[]> {
    const cancels = steps.flatMap((step) => (step.do === 'cancel' ? [step.order] : []));
    const others = steps.flatMap((step) =>
      step.do === 'cancel' || (step.do === 'close' && this.#cancels.concerns(step.leg.key)) ? [] : [step],
    );
    const carried = others.map((step, turn) =>
      this.#run.limit(() => {
        this.#steps.prepare(others[turn + WRITTEN_AHEAD], capabilities);
        return this.#steps.carryOut(step, capabilities);
      }),
    );
    return (await Promise.all([this.#cancels.cancel(cancels), Promise.all(carried)])).flat();
  }

  async #read(capabilities: BrokerCapabilities, sweep: Promise<Sweep> | undefined): Promise<Book | undefined> {
    const { clock, ledger, timings } = this.#run;
    // Asked before the reading: what drained in the meantime may have moved the book after it.
    const drain = ledger.drain();
    const nowMs = clock.monotonicMs();
    const allowed = mayCloseNow(drain, capabilities, this.#startedMs, timings.drainGraceMs, nowMs);
    this.#allowedSinceMs = allowed ? (this.#allowedSinceMs ?? nowMs) : undefined;
    this.#drainedSinceMs = drain.silentHolders.length === 0 ? (this.#drainedSinceMs ?? nowMs) : undefined;
    const reading = await (sweep === undefined ? this.#readBook() : this.#readBehind(sweep));
    if (!reading.ok) {
      this.#reach.failed(nowMs);
      // Unknown: it neither counts as quiet nor takes anything from the readings before and after it.
      if (this.#failedReads++ === 0) ledger.note('exit.read_failed', reading.problem, {});
      return undefined;
    }
    this.#failedReads = 0;
    this.#reach.answered();
    this.#lastBook = reading.book;
    this.#compare(reading.book, capabilities);
    if (isQuiet(reading.book, this.#legs, capabilities)) this.#quiet.add(reading.book.sentMs, capabilities.readLagMs);
    else this.#quiet.clear();
    return reading.book;
  }

  #readBook(between?: Promise<unknown>): Promise<BookReading> {
    const { broker, clock, timings } = this.#run;
    return this.#parts.readBook(broker, clock, timings.readTimeoutMs, between);
  }

  /** The orders are read while the sweep is under way, and the positions once it has ended: they show what it left. */
  async #readBehind(sweep: Promise<Sweep>): Promise<BookReading> {
    const reading = await this.#readBook(sweep);
    const { complete, orders } = await sweep;
    // What the venue would not confirm may still work, or may have filled.
    if (!complete) return this.#readBook();
    if (!reading.ok) return reading;
    return { ok: true, book: { ...reading.book, orders: reading.book.orders.filter((order) => !orders.has(orderKey(order))) } };
  }

  #compare(book: Book, capabilities: BrokerCapabilities): void {
    const quantities = new Map(book.positions.map((position) => [legKey(position), position] as const));
    for (const position of book.positions) {
      const key = legKey(position);
      this.#seen.add(key);
      if (!this.#legs.has(key)) this.#legs.set(key, newLeg(position.symbol, position.positionSide));
    }
    const { sentMs, positionsSentMs, receivedMs } = book;
    const { readLagMs, clientOrderIds } = capabilities;
    for (const leg of this.#legs.values()) {
      const openIds = new Set(book.orders.filter((order) => legKey(order) === leg.key).map((order) => order.clientOrderId));
      const doubtMs = this.#run.timings.readTimeoutMs;
      // Where ended orders can be asked for, only the answer says what they filled.
      const known = clientOrderIds === 'forever' ? leg : withOpenOrders(leg, { openIds, sentMs, receivedMs, readLagMs, doubtMs });
      this.#legs.set(leg.key, withReading(known, quantities.get(leg.key)?.quantity ?? 0, positionsSentMs));
    }
  }

  #view(book: Book | undefined, capabilities: BrokerCapabilities): ExitView {
    const { clock, timings } = this.#run;
    const nowMs = clock.monotonicMs();
    const sinceMs = this.#allowedSinceMs;
    const closingAllowed = book !== undefined && sinceMs !== undefined && book.sentMs - capabilities.readLagMs >= sinceMs;
    const { settleMs, readTimeoutMs: doubtMs } = timings;
    return { nowMs, book, legs: this.#legs, capabilities, closingAllowed, unclear: this.#unclear, settleMs, doubtMs };
  }

  /** True when the incident is over. */
  async #judge(book: Book | undefined, capabilities: BrokerCapabilities): Promise<boolean> {
    const { clock, ledger, timings } = this.#run;
    const judgement = this.#parts.judge({
      nowMs: clock.monotonicMs(),
      startedMs: this.#startedMs,
      book,
      quietReadsMs: this.#quiet.sentMs,
      legs: this.#legs,
      capabilities,
      drain: ledger.drain(),
      drainedSinceMs: this.#drainedSinceMs,
      deadlineMs: timings.deadlineMs,
      unclear: this.#unclear,
      confirmGapMs: timings.pollMs,
    });
    if (judgement.kind === 'continue') return false;
    if (!ledger.mayAct()) return false;
    const said = `${judgement.verdict}/${this.#run.panics?.() ?? 1}`;
    if (said !== this.#lastSaid) {
      if (!(await this.#run.onVerdict(judgement, this.#progress()))) return false;
      this.#lastSaid = said;
    }
    return judgement.verdict === 'flat' || judgement.verdict === 'dust';
  }

  /** By the last reading that came back: what has not been read since counts as open. */
  #progress(): ExitProgress {
    const open = this.#lastBook === undefined ? this.#seen : new Set(this.#lastBook.positions.map(legKey));
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
    return toHorizonMs > 0 ? Math.min(timings.watchMs, toHorizonMs) : this.#lastSaid === '' ? timings.pollMs : timings.watchMs;
  }
}
