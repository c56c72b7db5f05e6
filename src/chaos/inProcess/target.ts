/** One thing that can be hit: counts its calls, and knows which of them a later one has overtaken. */
import type { Clock, Timer } from '../../clock.js';
import type { Random } from '../../random.js';
import type { FaultMenu } from './config.js';
import type { ChaosBehaviour } from './faultKinds.js';
import type { Effect } from './faults.js';

export interface TargetOptions<A extends readonly unknown[], R> {
  /** By which the configuration and the report know it. Default: the function's own. */
  readonly name?: string;
  /** How it tells of a failure, for a function that answers instead of throwing. Default: it throws the error. */
  readonly fail?: (error: Error, effect: Effect, args: A) => R;
  /** What it answers for behaviour `outcome`, which it has only with this. */
  readonly outcome?: (...args: A) => R;
  /** What its contract makes impossible: a bus never repeats a write, nor does it change the order of one writer's records. */
  readonly rulesOut?: readonly ChaosBehaviour[];
  /** A hang lasts no longer: the call's own deadline. Default: as long as the configuration says. */
  readonly timeoutMs?: (...args: A) => number;
}

export interface TargetParts {
  readonly name: string;
  readonly menu: FaultMenu;
  readonly random: Random;
  readonly clock: Clock;
}

export class TargetState {
  readonly name: string;
  readonly menu: FaultMenu;
  readonly random: Random;
  calls = 0;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor({ name, menu, random, clock }: TargetParts) {
    this.name = name;
    this.menu = menu;
    this.random = random;
    this.#clock = clock;
  }

  /** A call that nothing holds back is made: those that wait have been overtaken by it once it has ended. */
  async invoke<R>(invoke: () => Promise<R>): Promise<R> {
    const overtaken = [...this.#waiting];
    try {
      return await invoke();
    } finally {
      for (const wake of overtaken) wake();
    }
  }

  overtaken(withinMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isOvertaken: boolean) => {
        timer.cancel();
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', give);
        resolve(isOvertaken);
      };
      const wake = () => end(true);
      const give = () => end(false);
      const timer: Timer = this.#clock.setTimer(withinMs, give);
      this.#waiting.add(wake);
      signal.addEventListener('abort', give, { once: true });
    });
  }
}
