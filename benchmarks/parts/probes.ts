/** Processes that ask a permission all the time, and how long after a halt the last of them is refused. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { quantile } from '../../src/drill/quantile.js';
import { type BudgetRow, budgetRow } from '../budget.js';

export const PROCESSES = 4;
const ROUNDS = 4;
const HALTS = 50;
const WITHIN_MS = 20_000;

interface Change {
  readonly isPermitted: boolean;
  readonly atMs: number;
}

/** What each process asks, as its arguments; `by` is a command that starts it, and what comes before the process in its arguments. */
export interface Asking {
  readonly args: readonly string[];
  readonly by?: readonly [command: string, ...args: readonly string[]];
}

class Probe {
  readonly #child: ChildProcess;
  #last: Change = { isPermitted: false, atMs: 0 };
  #end: string | undefined;

  constructor({ args, by }: Asking) {
    const script = [join(import.meta.dirname, '..', 'processes', 'haltProbe.js'), ...args];
    const [command, ...rest] = by === undefined ? [process.execPath] : [...by, process.execPath];
    this.#child = spawn(command, [...rest, ...script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (change) => {
      this.#last = change as Change;
    });
    this.#child.on('exit', (exitCode, signal) => {
      this.#end = `a process ended with ${exitCode ?? signal}`;
    });
  }

  /** When its answer became this; throws where it does not in time. */
  async until(isPermitted: boolean): Promise<number> {
    const untilMs = systemClock.monotonicMs() + WITHIN_MS;
    while (this.#last.isPermitted !== isPermitted) {
      if (this.#end !== undefined) throw new Error(this.#end);
      if (systemClock.monotonicMs() > untilMs)
        throw new Error(`a process did not become ${isPermitted ? 'permitted' : 'refused'} within ${WITHIN_MS} ms`);
      await systemClock.sleep(1);
    }
    return this.#last.atMs;
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }
}

/** Writes a halt and takes it back, each for everyone. */
export interface Switching {
  halt(): Promise<void>;
  release(): Promise<void>;
}

/** Rounds of latencies, each from the moment before the halt was written to the refusal of the last process, in milliseconds. */
export async function haltLatencies(
  asking: Asking,
  { halt, release }: Switching,
  rounds = ROUNDS,
): Promise<readonly (readonly number[])[]> {
  const probes = Array.from({ length: PROCESSES }, () => new Probe(asking));
  try {
    const latencies: number[][] = [];
    for (let round = 0; round < rounds; round += 1) {
      const latenciesMs: number[] = [];
      for (let count = 0; count < HALTS; count += 1) {
        await Promise.all(probes.map((probe) => probe.until(true)));
        const fromMs = systemClock.monotonicMs();
        await halt();
        const refusedMs = await Promise.all(probes.map((probe) => probe.until(false)));
        latenciesMs.push(Math.max(...refusedMs) - fromMs);
        await release();
      }
      latencies.push(latenciesMs);
    }
    return latencies;
  } finally {
    await Promise.all(probes.map((probe) => probe.close()));
  }
}

/** The p99 of each round against the limit of the promise on halts. */
export function latencyRow(budget: string, limitMs: number, rounds: readonly (readonly number[])[]): BudgetRow {
  const all = rounds.flat();
  const p99s = rounds.map((round) => quantile(round, 0.99));
  return budgetRow(budget, limitMs, p99s, {
    'p50 of all': quantile(all, 0.5),
    'p99 of all': quantile(all, 0.99),
    'max of all': Math.max(...all),
  });
}
