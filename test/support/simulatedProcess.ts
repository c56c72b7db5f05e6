/** A process as its surroundings see it: what it asks for and waits for can be cut for good, or held back for a while. */
import { type Clock, sleepWith, type TimerOptions } from '../../src/clock.js';

export class SimulatedProcess {
  readonly #clock: Clock;
  #state: 'runs' | 'frozen' | 'dead' = 'runs';
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the process reads time from and is woken by. */
  readonly clock: Clock = {
    monotonicMs: () => this.#clock.monotonicMs(),
    wallMs: () => this.#clock.wallMs(),
    setTimer: (delayMs: number, fire: () => void, options?: TimerOptions) => {
      let cancelled = false;
      const timer = this.#clock.setTimer(
        delayMs,
        () =>
          this.#wake(() => {
            if (!cancelled) fire();
          }),
        options,
      );
      return {
        cancel: () => {
          cancelled = true;
          timer.cancel();
        },
      };
    },
    sleep: (delayMs, signal) => sleepWith(this.clock, delayMs, signal),
  };

  get dead(): boolean {
    return this.#state === 'dead';
  }

  /** As SIGKILL: what it asked for goes on without it, and it asks for nothing more. */
  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  /** As SIGSTOP: no timer and no answer reaches it. What it had begun to ask for in this instant has left. */
  freeze(): void {
    if (this.#state === 'runs') this.#state = 'frozen';
  }

  /** As SIGCONT: what came meanwhile reaches it now, one after the other, at an hour that it did not see coming. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'runs';
    for (const act of this.#held.splice(0)) this.#clock.setTimer(0, () => this.#wake(act));
  }

  /** `target` as the process reaches it, with all that its calls hand out. */
  reach<T>(target: T): T {
    if (typeof target !== 'object' || target === null || Array.isArray(target)) return target;
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (this.dead) return new Promise(() => undefined);
          const result: unknown = Reflect.apply(value, object, args);
          return result instanceof Promise ? this.#answer(result) : this.reach(result);
        };
      },
    });
  }

  #answer(result: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      result.then(
        (settled: unknown) => this.#wake(() => resolve(this.reach(settled))),
        (error: unknown) => this.#wake(() => reject(error)),
      );
    });
  }

  #wake(act: () => void): void {
    if (this.#state === 'runs') act();
    else if (this.#state === 'frozen') this.#held.push(act);
  }
}
