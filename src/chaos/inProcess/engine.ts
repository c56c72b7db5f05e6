/** Injects faults into calls while it is armed, within its limits, and watches what becomes of each. */
import { setMaxListeners } from 'node:events';
import { checkInteger, checkText } from '../../checks.js';
import { sleepWith } from '../../clock.js';
import { settleWithin } from '../../deadline.js';
import { ConfigurationError, messageOf } from '../../errors.js';
import { seededRandom } from '../../random.js';
import { type ChaosConfig, type ChaosSettings, chaosSettings, menuOf } from './config.js';
import { drawFault, type FaultPlan } from './draw.js';
import { isInjected, markThrown } from './faultKinds.js';
import { carryOut } from './faults.js';
import type { ChaosCrash, OpenInjection } from './injection.js';
import { patchMethod } from './patchPoints.js';
import { watchRecovery } from './recovery.js';
import { type ChaosResult, isOverBudget, resultOf } from './result.js';
import { type TargetOptions, TargetState } from './target.js';

export interface RunOptions {
  /** How often the test is called, one after another. Ends early with the duration, the last injection and the error budget. Default 1. */
  readonly rounds?: number;
}

/** What a call of a target goes through. */
export type TargetCall<A extends readonly unknown[], R> = (args: A, invoke: () => Promise<R>) => Promise<R>;

/** A patched method answers what the object says it does. */
type AnyCall = TargetCall<readonly unknown[], unknown>;
export type AsyncMethodOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => Promise<unknown> ? K : never }[keyof T] & string;

/** Below so many observed recoveries an error budget says nothing. */
const BUDGET_FROM = 20;
/** How long a closing engine waits for duplicates that are under way. */
const CLOSE_MS = 1_000;
/** Between two rounds: the shortest timer that lets time pass. */
const ROUND_GAP_MS = 1;

export class ChaosEngine implements AsyncDisposable {
  readonly #settings: ChaosSettings;
  readonly #startedMs: number;
  readonly #startedAt: string;
  readonly #injections: OpenInjection[] = [];
  readonly #crashes: ChaosCrash[] = [];
  readonly #watches = new Set<Promise<void>>();
  readonly #tracked = new Set<Promise<unknown>>();
  readonly #restores: (() => void)[] = [];
  readonly #names = new Map<string, number>();
  readonly #called = new Set<string>();
  readonly #ending = new AbortController();
  #calls = 0;
  #round: number | undefined;
  #isExhausted = false;
  #failed = 0;
  #observed = 0;

  /** Throws a ConfigurationError for the first field that cannot hold. */
  constructor(config: ChaosConfig = {}) {
    this.#settings = chaosSettings(config);
    const { clock } = this.#settings;
    // Every look and every delay listens to it; there may be thousands.
    setMaxListeners(0, this.#ending.signal);
    this.#startedMs = clock.monotonicMs();
    this.#startedAt = new Date(clock.wallMs()).toISOString();
  }

  get seed(): number | string {
    return this.#settings.seed;
  }

  /** Whether a call could be hit now. */
  get isActive(): boolean {
    const { armed, maxInjections } = this.#settings;
    return armed && !this.#ending.signal.aborted && !this.#isExhausted && this.#injections.length < maxInjections && this.#leftMs() > 0;
  }

  /** The same function with faults in its calls: its name, parameters and result. What it throws at once becomes a rejection. */
  wrap<A extends readonly unknown[], R>(fn: (...args: A) => Promise<R>, options: TargetOptions<A, R> = {}): (...args: A) => Promise<R> {
    const name = options.name ?? (fn.name === '' ? 'anonymous' : fn.name);
    const call = this.target(name, options);
    const wrapped = function withChaos(this: unknown, ...args: A): Promise<R> {
      return call(args, async () => Reflect.apply(fn, this, args));
    };
    Object.defineProperty(wrapped, 'name', { value: fn.name, configurable: true });
    Object.defineProperty(wrapped, 'length', { value: fn.length, configurable: true });
    return wrapped;
  }

  /** A target by itself, for a port that is not a single function. */
  target<A extends readonly unknown[], R>(name: string, options: TargetOptions<A, R> = {}): TargetCall<A, R> {
    const { clock } = this.#settings;
    const number = (this.#names.get(checkText('name', name)) ?? 0) + 1;
    this.#names.set(name, number);
    const random = seededRandom(`${this.#settings.seed}/${name}/${number}`);
    const menu = menuOf(this.#settings, {
      hasOutcome: options.outcome !== undefined,
      ...(options.rulesOut === undefined ? {} : { rulesOut: options.rulesOut }),
    });
    const target = new TargetState({ name, menu, random, clock });
    return (args, invoke) => this.#call(target, options, args, invoke);
  }

  /**
   * Puts faults into `object[method]` for everyone who calls it, until the answer is disposed of or the engine is closed. Any number
   * of engines may do so at once and leave in any order.
   */
  patch<T extends object>(object: T, method: AsyncMethodOf<T>, options: { readonly name?: string } = {}): Disposable {
    if (this.#ending.signal.aborted) throw new ConfigurationError('engine', 'closed', 'must be open');
    const call: AnyCall = this.target(options.name ?? method);
    const restore = patchMethod(object, method, (_self, args, invoke) =>
      // Who is not hit gets exactly what the method gives.
      this.#settings.armed && !this.#ending.signal.aborted ? call(args, async () => invoke()) : invoke(),
    );
    this.#restores.push(restore);
    return { [Symbol.dispose]: restore };
  }

  /** Calls the test, waits for the recoveries, and says what was seen. Rejects for wrong options alone: what the test throws is a crash. */
  async run(test: (round: number) => unknown, options: RunOptions = {}): Promise<ChaosResult> {
    const rounds = checkInteger('rounds', options.rounds ?? 1, { min: 1 });
    if (this.#ending.signal.aborted) throw new ConfigurationError('engine', 'closed', 'must be open');
    if (this.#round !== undefined) throw new ConfigurationError('engine', 'running', 'must have no run under way');
    for (let round = 1; round <= rounds && (round === 1 || this.isActive); round++) {
      // Looks at recoveries, signals and timers come first: a test that never waits would keep the loop to itself.
      if (round > 1) await this.#settings.clock.sleep(ROUND_GAP_MS, this.#ending.signal);
      await this.#runRound(test, round);
    }
    this.#round = undefined;
    while (this.#watches.size > 0) await Promise.all(this.#watches);
    return this.result();
  }

  /** What was seen so far. */
  result(): ChaosResult {
    return resultOf({
      settings: this.#settings,
      startedAt: this.#startedAt,
      durationMs: this.#settings.clock.monotonicMs() - this.#startedMs,
      calls: this.#calls,
      called: this.#called,
      injections: this.#injections.map((injection) => ({ ...injection })),
      crashes: [...this.#crashes],
    });
  }

  /** Injects no more, restores what it patched, ends hangs, delays and looks. */
  async close(): Promise<void> {
    this.#ending.abort();
    for (const restore of this.#restores.splice(0).toReversed()) restore();
    await settleWithin(this.#settings.clock, Promise.all([...this.#watches, ...this.#tracked]), CLOSE_MS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #leftMs(): number {
    return this.#startedMs + this.#settings.durationMs - this.#settings.clock.monotonicMs();
  }

  async #call<A extends readonly unknown[], R>(
    target: TargetState,
    options: TargetOptions<A, R>,
    args: A,
    invoke: () => Promise<R>,
  ): Promise<R> {
    if (!this.#settings.armed || this.#ending.signal.aborted) return invoke();
    target.calls += 1;
    this.#calls += 1;
    this.#called.add(target.name);
    const { targets } = this.#settings;
    const isTarget = targets.size === 0 || targets.has(target.name);
    const plan = isTarget ? drawFault(this.#settings, target.menu, target.random, target.calls) : undefined;
    if (plan === undefined || !this.isActive) return target.invoke(invoke);
    return this.#inject(plan, target, options, args, invoke);
  }

  #inject<A extends readonly unknown[], R>(
    plan: FaultPlan,
    target: TargetState,
    options: TargetOptions<A, R>,
    args: A,
    invoke: () => Promise<R>,
  ): Promise<R> {
    const { latencyMs, hangMs = Infinity, clock } = this.#settings;
    const { signal } = this.#ending;
    const injection = this.#record(plan, target, args);
    const fail = options.fail ?? raise;
    return carryOut(
      plan,
      {
        target: target.name,
        invoke,
        fail: (error, effect) => markThrown(() => fail(error, effect, args)),
        outcome: options.outcome === undefined ? undefined : () => outcomeOf(options, args),
        hangMs: Math.max(0, Math.min(hangMs, options.timeoutMs?.(...args) ?? Infinity, this.#leftMs())),
        latencyMs: Math.min(latencyMs, Math.max(0, this.#leftMs())),
        overtaken: (withinMs) => target.overtaken(withinMs, signal),
      },
      {
        clock: { sleep: (delayMs, given) => sleepWith(clock, delayMs, given) },
        signal,
        struck: (told) => this.#struck(injection, told),
        track: (work) => {
          this.#tracked.add(work);
          void work.then(() => this.#tracked.delete(work));
        },
      },
    );
  }

  #record({ type, behaviour }: FaultPlan, target: TargetState, args: readonly unknown[]): OpenInjection {
    const { clock } = this.#settings;
    const injection: OpenInjection = {
      number: this.#injections.length + 1,
      chaosType: type,
      behaviour,
      timestamp: new Date(clock.wallMs()).toISOString(),
      atMs: clock.monotonicMs(),
      targetFunction: target.name,
      call: target.calls,
      round: this.#round,
      args,
      failureInjected: false,
      systemRecovered: undefined,
      recoveryMs: undefined,
      errorMessage: undefined,
    };
    this.#injections.push(injection);
    return injection;
  }

  #struck(injection: OpenInjection, told: string | undefined): void {
    injection.failureInjected = true;
    injection.errorMessage = told;
    const { recovered } = this.#settings;
    if (recovered === undefined || this.#ending.signal.aborted) return;
    const watch = watchRecovery(injection, { ...this.#settings, recovered }, this.#ending.signal).then(() => {
      this.#watches.delete(watch);
      this.#observed += 1;
      if (injection.systemRecovered !== true) this.#failed += 1;
      this.#isExhausted ||= this.#observed >= BUDGET_FROM && isOverBudget(this.#failed, this.#observed, this.#settings.errorBudget);
    });
    this.#watches.add(watch);
  }

  async #runRound(test: (round: number) => unknown, round: number): Promise<void> {
    const { clock, recoveryTimeoutMs } = this.#settings;
    this.#round = round;
    // Hangs end with the duration: what has not ended some time after it never will.
    const limitMs = Math.max(0, this.#leftMs()) + recoveryTimeoutMs;
    try {
      const ended = await settleWithin(clock, (async () => test(round))(), limitMs);
      if (!ended.settled) this.#crash(round, `it had not ended ${Math.round(limitMs)} ms after its start`, false);
    } catch (error) {
      this.#crash(round, messageOf(error), isInjected(error));
    }
  }

  #crash(round: number, errorMessage: string, wasInjected: boolean): void {
    const injections = this.#injections.filter((injection) => injection.round === round).map(({ number }) => number);
    this.#crashes.push({ round, errorMessage, wasInjected, injections });
  }
}

function raise(error: Error): never {
  throw error;
}

function outcomeOf<A extends readonly unknown[], R>({ outcome }: TargetOptions<A, R>, args: A): R {
  if (outcome === undefined) throw new ConfigurationError('outcome', outcome, 'must be a function');
  return outcome(...args);
}
