/** The one owner of a process's shutdown: shuts the gate, drains, runs the hooks and ends the process, within one budget of time. */
import { onAbort } from '../abort.js';
import type { Clock, Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';
import type { ShutdownGate } from '../shutdownGate/gate.js';
import { type EndSignal, FAULT_EVENTS, type ProcessEvents } from './events.js';
import { drainAll, grantExit, inflightOf, promiseDrain, unfinishedOf } from './gates.js';
import { type HookEntry, HookStack } from './hooks.js';
import { RunningLoops } from './loops.js';
import { combineSettings, promisedDrainMs, type SignalSettings } from './options.js';
import { OWNER_VERSION, type ShutdownPhase, type ShutdownProtocol } from './protocol.js';
import { leftOver, stackOf, type Unfinished } from './words.js';

/** How the process ends. The program's own request says nothing about the exit code, and leaves it as the program has set it. */
type Ending = { readonly by: 'request' } | { readonly by: 'signal'; readonly signal: EndSignal } | { readonly by: 'fault' };

/** So long at most the output may take to reach its reader before the process ends. */
export const FLUSH_MS = 250;
const FLUSH_POLL_MS = 5;

/** The exit code of a process that failed, or that was cut off. */
export const FAULT_CODE = 1;

export interface OwnerDeps {
  readonly gate: ShutdownGate;
  readonly clock: Clock;
  readonly events: ProcessEvents;
}

export class ShutdownOwner implements ShutdownProtocol {
  readonly version = OWNER_VERSION;
  readonly #gate: ShutdownGate;
  readonly #clock: Clock;
  readonly #events: ProcessEvents;
  readonly #hooks: HookStack;
  readonly #loops: RunningLoops;
  readonly #handlings = new Map<symbol, SignalSettings>();
  readonly #listening = new Map<string, () => void>();
  #phase: ShutdownPhase = 'running';
  #ending: Ending = { by: 'request' };
  #firstSignalMs: number | undefined;
  #ordersElsewhere = 0;
  #budget: Timer | undefined;
  /** The process is being ended by this owner. */
  #over = false;
  #becomeEnded: () => void = () => {};
  readonly #ended: Promise<void>;

  constructor({ gate, clock, events }: OwnerDeps) {
    this.#gate = gate;
    this.#clock = clock;
    this.#events = events;
    this.#hooks = new HookStack(clock);
    this.#loops = new RunningLoops(clock);
    this.#ended = new Promise((resolve) => {
      this.#becomeEnded = resolve;
    });
    if (gate.requested) this.#begin();
    else onAbort(gate.signal, () => this.#begin());
  }

  phase(): ShutdownPhase {
    return this.#phase;
  }

  addHook(entry: HookEntry): () => void {
    return this.#hooks.add(entry);
  }

  enterLoop(name: string): () => void {
    return this.#loops.enter(name);
  }

  ended(): Promise<void> {
    return this.#ended;
  }

  fail(reason: string, thrown: unknown): void {
    this.#ending = { by: 'fault' };
    if (this.#handlings.size > 0) this.#events.tell(`failflat: ${reason}: ${stackOf(thrown)}`);
    this.#log().error({ err: thrown }, reason);
    this.#gate.requestShutdown(reason);
  }

  handle(settings: SignalSettings): () => void {
    const key = Symbol('handling');
    const before = this.#settings();
    const combined = combineSettings([...this.#handlings.values(), settings]);
    // First, as it refuses a drain that cannot hold: nothing has been changed by then.
    promiseDrain(
      [this.#gate, ...combined.gates],
      promisedDrainMs(combined),
      this.#handlings.size === 0 ? undefined : promisedDrainMs(before),
    );
    this.#handlings.set(key, settings);
    if (this.#gate.requested) this.#shut(settings.gates);
    this.#listen(combined);
    if (this.#phase === 'ended') void this.#end();
    return () => {
      if (this.#phase === 'running') this.#giveBack(key);
    };
  }

  #giveBack(key: symbol): void {
    promiseDrain(this.#gates(), undefined, undefined);
    this.#handlings.delete(key);
    this.#listenToRest();
  }

  release(): void {
    this.#over = true;
    for (const key of this.#handlings.keys()) this.#giveBack(key);
    this.#settle();
  }

  #listenToRest(): void {
    for (const off of this.#listening.values()) off();
    this.#listening.clear();
    if (this.#handlings.size === 0) return;
    const rest = this.#settings();
    promiseDrain(this.#gates(), promisedDrainMs(rest), undefined);
    this.#listen(rest);
  }

  #settings(): SignalSettings {
    return combineSettings([...this.#handlings.values()]);
  }

  #gates(): readonly ShutdownGate[] {
    return [...new Set([this.#gate, ...this.#settings().gates])];
  }

  #listen(settings: SignalSettings): void {
    const { signals } = settings;
    const add = (key: string, start: () => () => void): void => {
      if (!this.#listening.has(key)) this.#listening.set(key, start());
    };
    for (const name of signals) {
      const others = this.#events.listenersOf(name);
      add(name, () => {
        if (others > 0)
          this.#log().warn({ signal: name, others }, 'other code listens to this signal: if it ends the process, it cuts off the drain');
        return this.#events.onSignal(name, () => this.#hear(name));
      });
    }
    for (const name of FAULT_EVENTS) {
      // Whoever asked: once the shutdown runs the gate is shut, and what nobody caught would do no more than cut off the drain.
      if (settings[name] || this.#phase !== 'running') add(name, () => this.#events.onFault(name, (thrown) => this.fail(name, thrown)));
    }
    add('exit', () => this.#events.onExit((code) => this.#atExit(code)));
  }

  #hear(signal: EndSignal): void {
    const nowMs = this.#clock.monotonicMs();
    const { deadWindowMs } = this.#settings();
    const isFirst = this.#firstSignalMs === undefined;
    this.#firstSignalMs ??= nowMs;
    if (!isFirst && nowMs - this.#firstSignalMs < deadWindowMs) return;
    if (this.#ending.by !== 'fault') this.#ending = { by: 'signal', signal };
    if (!isFirst) {
      this.#log().error({ signal }, 'a further signal: the process is ended at once');
      this.#endNow();
      return;
    }
    this.#log().warn({ signal, others: this.#events.listenersOf(signal) - 1 }, 'shutting down');
    this.#gate.requestShutdown(signal);
  }

  // In the same synchronous step as the request: by the time that requestShutdown has returned, the process is held.
  #begin(): void {
    this.#phase = 'draining';
    const settings = this.#settings();
    this.#shut(settings.gates);
    const untilMs = this.#clock.monotonicMs() + settings.forceAfterMs;
    // It keeps the process alive until the end, whatever else holds it or lets go of it.
    this.#budget = this.#clock.setTimer(settings.forceAfterMs, () => this.#expire(), { keepAlive: true });
    if (this.#handlings.size > 0) {
      this.#events.forgiveOutput();
      this.#listen(settings);
    }
    this.#run(settings.drainTimeoutMs, untilMs).catch((error: unknown) => {
      this.fail('the shutdown itself failed', error);
      void this.#end();
    });
  }

  #shut(gates: readonly ShutdownGate[]): void {
    for (const gate of gates) {
      try {
        gate.requestShutdown(this.#gate.reason ?? '');
      } catch (error) {
        this.fail('a gate could not be shut', error);
      }
    }
  }

  async #run(drainTimeoutMs: number, untilMs: number): Promise<void> {
    const [report] = await Promise.all([
      drainAll(this.#gates(), drainTimeoutMs, (error) => this.fail('a gate could not be drained', error)),
      this.#loops.wait(drainTimeoutMs),
    ]);
    this.#ordersElsewhere = report.inflightElsewhere;
    if (this.#phase !== 'draining') return;
    this.#phase = 'hooks';
    await this.#hooks.runAll({
      reason: this.#gate.reason ?? '',
      report,
      untilMs,
      grant: () => grantExit(this.#gates(), (error) => this.#log().error({ err: error }, 'a gate cannot honour an exit permit')),
      ended: (hook, outcome, error) => {
        if (outcome === 'done') this.#log().debug({ hook }, 'a shutdown hook is done');
        else this.#log().error({ hook, outcome, err: error }, 'a shutdown hook did not end well');
      },
    });
    await this.#end();
  }

  #expire(): void {
    if (this.#handlings.size === 0) {
      this.#settle();
      return;
    }
    this.#log().error({}, 'the time of the shutdown is up');
    if (this.#ending.by === 'request') this.#ending = { by: 'fault' };
    this.#endNow();
  }

  async #end(): Promise<void> {
    if (this.#handlings.size === 0) {
      this.#settle();
      return;
    }
    this.#phase = 'ending';
    const untilMs = this.#clock.monotonicMs() + FLUSH_MS;
    while (this.#events.unwrittenBytes() > 0 && this.#clock.monotonicMs() < untilMs) await this.#clock.sleep(FLUSH_POLL_MS);
    this.#endNow();
  }

  #settle(): void {
    this.#phase = 'ended';
    this.#budget?.cancel();
    this.#becomeEnded();
  }

  #endNow(): void {
    if (this.#over) return;
    this.#over = true;
    this.#phase = 'ending';
    this.#budget?.cancel();
    const left = this.#leftOver();
    if (left !== undefined) this.#events.tell(`failflat: shutdown (${this.#gate.reason ?? ''}): ${left}`);
    const ending = this.#ending;
    if (ending.by === 'signal') this.#events.endBySignal(ending.signal);
    else this.#events.exit(ending.by === 'fault' ? FAULT_CODE : undefined);
  }

  // The last word of a process must not keep it from its end.
  #leftOver(): string | undefined {
    try {
      return leftOver(this.#unfinished());
    } catch (error) {
      return `nobody can say what is left over: ${messageOf(error)}`;
    }
  }

  // Others may end the process at any time. Nothing can stop them; but no order is forgotten, and 0 would be a lie.
  #atExit(code: number): number | undefined {
    if (this.#over) return undefined;
    const left = this.#leftOver();
    if (left === undefined) return undefined;
    this.#events.tell(`failflat: the process is ended from elsewhere with code ${code}: ${left}`);
    return code === 0 && this.#isCutOff() ? FAULT_CODE : undefined;
  }

  #isCutOff(): boolean {
    try {
      return inflightOf(this.#gates()) > 0 || this.#unfinished().hooks.length > 0;
    } catch {
      // Nobody can say: then it is not said that all is well.
      return true;
    }
  }

  // Hooks and loops are unfinished once a shutdown has begun; before that they are none of its business.
  #unfinished(): Unfinished {
    const begun = this.#phase !== 'running';
    return {
      orders: unfinishedOf(this.#gates()),
      ordersElsewhere: this.#ordersElsewhere,
      loops: begun ? this.#loops.names() : [],
      hooks: begun ? this.#hooks.unfinished() : [],
    };
  }

  #log(): Omit<Logger, 'info'> {
    const all = [...this.#handlings.values()].map(({ logger }) => isolatedLogger(logger));
    const tellAll = (level: keyof Logger) => (details: object, message: string) => {
      for (const logger of all) logger[level](details, message);
    };
    return { debug: tellAll('debug'), warn: tellAll('warn'), error: tellAll('error') };
  }
}
