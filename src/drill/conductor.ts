/** Leads one run: brings the cast on, waits for what must be seen, injects the fault, and takes down what happened. */
import type { VenueEvent } from '../brokers/paper/index.js';
import { systemClock } from '../clock.js';
import { messageOf } from '../errors.js';
import { PANIC_CLOSE, panicGroup } from '../messages/panicClose.js';
import type { Random } from '../random.js';
import { bookAt, type Fill, fillsOf, ordersFrom } from '../rig/books.js';
import { type Child, RigError } from '../rig/child.js';
import { BusObserver, type BusSight, followStream, type Seen } from '../rig/observer.js';
import { StallMonitor } from '../rig/stallMonitor.js';
import type { ProxyMode } from '../rig/tcpProxy.js';
import { type ScaledTimings, scaledTimings } from '../roles/scale.js';
import type { ActorRole, Variant } from './actors/order.js';
import { armTrading } from './arm.js';
import { type DrillBars, LEAD_BARS } from './bars.js';
import { type BusMaster, findBusMaster } from './busMaster.js';
import { ACCOUNT, Cast } from './cast.js';
import type { Evidence, Marks, PromisedTimes } from './judge/evidence.js';
import { isExitWorker } from './judge/exitChecks.js';
import { closesNotOnRecord } from './judge/watchChecks.js';
import type { DrillOptions } from './options.js';
import { DRILL_ORDERS, decodeOrderAttempt, type OrderAttempt } from './orderLog.js';
import { type TimelineEntry, timelineOf } from './timeline.js';
import { makeWorkspace, type Workspace } from './workspace.js';

export interface ConductorOptions {
  readonly drill: DrillOptions;
  readonly bars: DrillBars;
  readonly variants: ReadonlyMap<ActorRole, Variant>;
  readonly onEvent: (entry: TimelineEntry) => void;
  /** Told of each line that a process writes to standard error. */
  readonly onLog: (name: string, line: string) => void;
  readonly signal: AbortSignal;
  /** How the partitioned process is cut off. Default: every byte waits. */
  readonly cutMode?: ProxyMode;
  /** The partitioned process has names of its own, and knows the bus by a name alone. */
  readonly ownNames?: boolean;
  /** Variants of single processes, by their names. */
  readonly named?: ReadonlyMap<string, Variant>;
  /** Who of the partitioned role stands behind the proxy, by name. Default: all of it. */
  readonly cutOff?: readonly string[];
  /** The run's own chance. */
  readonly random: Random;
}

/** The venue stamps its books itself, so how often they are read decides only how soon the timeline tells of them. */
const BOOKS_EVERY_MS = 100;
/** Orders that must have reached the venue in the last second before the fault. */
const FLOWING_ORDERS = 20;
/** How long the record may lag behind the venue at the end of a run. */
const RECORD_MS = 3_000;
const BAR_INTERVAL_MS = 15;

export class Conductor {
  readonly timings: ScaledTimings;
  readonly drill: DrillOptions;
  readonly marks: Marks = { armedMs: Infinity, endMs: Infinity };
  pendingWhenWorkerDied: number | undefined;
  readonly #options: ConductorOptions;
  readonly #workspace: Workspace;
  readonly #cast: Cast;
  readonly #observer: BusObserver;
  readonly #stalls = new StallMonitor();
  readonly #attempts: Seen<OrderAttempt>[] = [];
  readonly #stop = new AbortController();
  readonly #events: VenueEvent[] = [];
  readonly #tasks: Promise<void>[];
  #draining: Promise<void> | undefined;
  #busMaster: BusMaster | undefined;
  #told = 0;

  private constructor(options: ConductorOptions, workspace: Workspace, timings: ScaledTimings, cast: Cast) {
    this.#options = options;
    this.#workspace = workspace;
    this.timings = timings;
    this.drill = options.drill;
    this.#cast = cast;
    this.#observer = new BusObserver(cast.bus, () => this.#tell());
    this.#tasks = [this.#followAttempts(), this.#followVenue()];
  }

  static async open(options: ConductorOptions): Promise<Conductor> {
    const { bars, onEvent, signal: _signal, random: _random, ...forCast } = options;
    const timings = scaledTimings(forCast.drill.scale);
    const workspace = await makeWorkspace(forCast.drill);
    try {
      const cast = await Cast.open({ ...forCast, timings, workspace, barsFile: bars.file });
      onEvent({ atMs: systemClock.monotonicMs(), text: `venue listens, bus is ${workspace.busUrl}` });
      return new Conductor(options, workspace, timings, cast);
    } catch (error) {
      await workspace.remove();
      throw error;
    }
  }

  get workspace(): Workspace {
    return this.#workspace;
  }

  get cast(): Cast {
    return this.#cast;
  }

  say(text: string): void {
    this.#options.onEvent({ atMs: systemClock.monotonicMs(), text });
  }

  /** Arms trading; returns when orders flow and, unless told otherwise, positions are open. */
  async armAndTrade({ flat = false }: { readonly flat?: boolean } = {}): Promise<void> {
    await this.until('beats of brain, watchdog and worker', 10_000, () => {
      const { brainBeats, watchdogBeats, workerBeats } = this.#observer.sight();
      const ready = workerBeats.some(({ value }) => value.worker?.identityMatches === true && value.worker.bookAgeMs !== undefined);
      return brainBeats.length >= 2 && watchdogBeats.length >= 2 && ready;
    });
    this.say('beats flow; arming');
    await armTrading(this.#cast.bus, this.timings, (text) => this.say(text));
    this.marks.armedMs = systemClock.monotonicMs();
    this.say('trading is ACTIVE');
    if (flat) return;
    const { crashIndex } = this.#options.bars;
    await this.#cast.venue.replay({
      action: 'start',
      index: crashIndex - LEAD_BARS,
      intervalMs: BAR_INTERVAL_MS,
      untilIndex: crashIndex + LEAD_BARS,
    });
    await this.until(`${this.drill.positions} open positions, orders flowing, and the crash bar`, 15_000, () => {
      const open = bookAt(this.#events, ACCOUNT).positions.size;
      const recentMs = systemClock.monotonicMs() - 1_000;
      const flowing = ordersFrom(this.#events, ACCOUNT, (source) => source === 'strategy').filter((order) => order.atMs > recentMs).length;
      const atCrash = this.#events.some((event) => event.kind === 'bar' && event.index >= crashIndex);
      return open >= this.drill.positions && flowing >= FLOWING_ORDERS && atCrash;
    });
    // A fault that always fell right after a beat, or right before one, would show only the best or the worst of the detection.
    await this.sleep(this.#options.random.next() * this.timings.exitBrain.intervalMs);
    const { positions, openOrders } = bookAt(this.#events, ACCOUNT);
    this.say(`${positions.size} positions and ${openOrders.size} working orders are open, prices are in the crash`);
  }

  /** Waits for an observed state; what must be there before the fault and does not come is a failure of the rig. */
  async until(what: string, timeoutMs: number, seen: () => boolean): Promise<void> {
    if (!(await this.waitFor(timeoutMs, seen))) throw new RigError(`${what}: not seen within ${timeoutMs} ms`);
  }

  /** Ends at once, with an error of the rig, where the drill is told to end. */
  async sleep(forMs: number): Promise<void> {
    await systemClock.sleep(forMs, this.#options.signal);
    if (this.#options.signal.aborted) throw new RigError('interrupted');
  }

  /** Waits for an observed state after the fault: that it did not come is evidence. */
  async waitFor(timeoutMs: number, seen: () => boolean): Promise<boolean> {
    const untilMs = systemClock.monotonicMs() + timeoutMs;
    while (!seen()) {
      if (this.#options.signal.aborted) throw new RigError('interrupted');
      if (systemClock.monotonicMs() > untilMs) return false;
      await systemClock.sleep(10);
    }
    return true;
  }

  get sight(): BusSight {
    return this.#observer.sight();
  }

  events(): readonly VenueEvent[] {
    return this.#events;
  }

  attempts(): readonly Seen<OrderAttempt>[] {
    return this.#attempts;
  }

  exitFills(): readonly Fill[] {
    return fillsOf(this.#events, ACCOUNT, isExitWorker);
  }

  /** Sends a signal to one process by its id. Default: the drill's. */
  strike(child: Child, signal: NodeJS.Signals = this.drill.signal): number {
    const atMs = systemClock.monotonicMs();
    if (!child.signal(signal)) throw new RigError(`${child.name} had ended before the fault`);
    this.say(`${signal} to ${child.name} (process ${child.pid})`);
    return atMs;
  }

  /** Cuts the drill's partitioned process off from the bus, or lets it back. */
  partition(cut: boolean): number {
    const atMs = systemClock.monotonicMs();
    this.#cast.cut(cut);
    this.say(`${this.drill.partition} is ${cut ? 'cut off from the bus' : 'connected again'}`);
    return atMs;
  }

  /** The server that takes the writes of the bus now; whatever becomes of the run, it is not left standing still. */
  async busMaster(): Promise<BusMaster> {
    this.#busMaster = await findBusMaster(this.#workspace);
    return this.#busMaster;
  }

  /** Waits until the struck server is needed back; returns when the bus was last seen away. */
  async busAwayUntilNeeded(master: BusMaster, timeoutMs: number): Promise<number> {
    const untilMs = systemClock.monotonicMs() + timeoutMs;
    for (let awayMs = systemClock.monotonicMs(); ; ) {
      const askedMs = systemClock.monotonicMs();
      if ((await this.#cast.bus.probe()).ok || askedMs > untilMs) return awayMs;
      awayMs = askedMs;
      if (await master.needsIt()) return awayMs;
      await this.sleep(10);
    }
  }

  /** Switches on a fault that a process carries inside it. */
  async trigger(text: string, name?: string): Promise<number> {
    const atMs = systemClock.monotonicMs();
    await this.#workspace.trigger(name);
    this.say(text);
    return atMs;
  }

  /** Ends it. */
  async calm(text: string, name?: string): Promise<number> {
    const atMs = systemClock.monotonicMs();
    await this.#workspace.calm(name);
    this.say(text);
    return atMs;
  }

  async pendingPanics(): Promise<number | undefined> {
    try {
      return (await this.#cast.bus.group(PANIC_CLOSE, panicGroup(ACCOUNT)).pending()).length;
    } catch (error) {
      this.say(`the list of unacknowledged panics cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** A dead worker's deliveries are taken up by its successor when they have grown old, and acknowledged then. */
  async untilAcknowledged(timeoutMs: number): Promise<void> {
    const untilMs = systemClock.monotonicMs() + timeoutMs;
    while ((await this.pendingPanics()) !== 0 && systemClock.monotonicMs() < untilMs) await systemClock.sleep(20, this.#options.signal);
  }

  /** Takes everything down for the judge. */
  async evidence(promised: Pick<PromisedTimes, 'detectionMs'>): Promise<Evidence> {
    const { timings, drill } = this;
    // Audit entries are written one after another, behind the closes that they tell of: the record may still be on its way.
    await this.waitFor(RECORD_MS, () => closesNotOnRecord({ events: this.#events, account: ACCOUNT, bus: this.sight }).length === 0);
    this.marks.endMs = systemClock.monotonicMs();
    const unacknowledged = await this.pendingPanics();
    await this.#drainVenue();
    return {
      account: ACCOUNT,
      positions: drill.positions,
      venueLatencyMs: drill.venueLatencyMs,
      promised: {
        ...promised,
        leaseTtlMs: timings.lease.ttlMs,
        peerLivenessMs: timings.lease.peerLivenessMs,
        brokerTimeoutMs: timings.brokerTimeoutMs,
        claimMs: timings.exitWorker.claimMs,
        exitDeadlineMs: timings.exitWorker.deadlineMs,
        doubtMs: timings.exitWorker.readTimeoutMs,
      },
      marks: this.marks,
      events: [...this.#events],
      bus: this.#observer.sight(),
      attempts: this.#attempts,
      alerts: this.#cast.alerts.received,
      unacknowledged,
      pendingWhenWorkerDied: this.pendingWhenWorkerDied,
      stallMs: (fromMs, untilMs) => this.#stalls.totalMs(fromMs, untilMs),
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#stalls.close();
    await this.#observer.close();
    await Promise.all(this.#tasks);
    await this.#busMaster?.comeBack();
    await this.#cast.close();
    await this.#workspace.remove();
  }

  async #followAttempts(): Promise<void> {
    await followStream(this.#cast.record, DRILL_ORDERS, systemClock, this.#stop.signal, (record) => {
      const decoded = decodeOrderAttempt(record.fields);
      if (decoded.ok) this.#attempts.push({ atMs: record.receivedMs, value: decoded.value });
    });
  }

  async #followVenue(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#drainVenue();
      } catch {
        // The venue is asked again; the evidence is complete because it is taken once more at the end.
      }
      await systemClock.sleep(BOOKS_EVERY_MS, this.#stop.signal);
    }
  }

  /** One reader at a time, so that no event is taken twice. */
  async #drainVenue(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
    this.#draining = this.#takeEvents();
    try {
      await this.#draining;
    } finally {
      this.#draining = undefined;
    }
  }

  async #takeEvents(): Promise<void> {
    const { events } = await this.#cast.venue.evidence(this.#events.length);
    this.#events.push(...events);
  }

  #tell(): void {
    const entries = timelineOf(this.#observer.sight());
    for (const entry of entries.slice(this.#told)) this.#options.onEvent(entry);
    this.#told = Math.max(this.#told, entries.length);
  }
}
