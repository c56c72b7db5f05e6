/** From a halt to the refusal in every process that trades, over 200 halts, on the journal and on Redis. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../src/clock.js';
import { ACCOUNT } from '../src/drill/cast.js';
import type { DrillOptions } from '../src/drill/options.js';
import { quantile } from '../src/drill/quantile.js';
import { halt } from '../src/tradingState/halt.js';
import { type BudgetRow, budgetRow } from './budget.js';
import { armAtOnce, openStage } from './parts/stage.js';

const ROUNDS = 4;
const HALTS = 50;
const PROCESSES = 4;
const WITHIN_MS = 20_000;
/** The bound of the promise on halts, at p99. */
const LIMIT_MS = 50;

interface Change {
  readonly isPermitted: boolean;
  readonly atMs: number;
}

class Probe {
  readonly #child: ChildProcess;
  #last: Change = { isPermitted: false, atMs: 0 };

  constructor(busUrl: string) {
    this.#child = fork(join(import.meta.dirname, 'processes', 'haltProbe.js'), [busUrl, ACCOUNT]);
    this.#child.on('message', (change) => {
      this.#last = change as Change;
    });
  }

  /** When its answer became this; throws where it does not in time. */
  async until(isPermitted: boolean): Promise<number> {
    const untilMs = systemClock.monotonicMs() + WITHIN_MS;
    while (this.#last.isPermitted !== isPermitted) {
      if (systemClock.monotonicMs() > untilMs)
        throw new Error(`a process did not become ${isPermitted ? 'permitted' : 'refused'} within ${WITHIN_MS} ms`);
      await systemClock.sleep(1);
    }
    return this.#last.atMs;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }
}

/** Rounds of latencies, each from the moment before the halt was written to the refusal of the last process, in milliseconds. */
async function measure(options: Partial<DrillOptions>): Promise<readonly (readonly number[])[]> {
  const stage = await openStage(options);
  const probes: Probe[] = [];
  try {
    await Promise.all([stage.cast.brain(), stage.cast.watchdog(), stage.cast.worker()]);
    await stage.armAndTrade({ flat: true });
    for (let count = 0; count < PROCESSES; count += 1) probes.push(new Probe(stage.cast.bus.url));
    const rounds: number[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const latenciesMs: number[] = [];
      for (let count = 0; count < HALTS; count += 1) {
        await Promise.all(probes.map((probe) => probe.until(true)));
        const fromMs = systemClock.monotonicMs();
        const halted = await halt(stage.cast.bus, { kind: 'manual', reason: 'bench', by: 'bench' });
        if (halted.outcome !== 'committed') throw new Error(`a halt was not committed: ${JSON.stringify(halted)}`);
        const refusedMs = await Promise.all(probes.map((probe) => probe.until(false)));
        latenciesMs.push(Math.max(...refusedMs) - fromMs);
        await armAtOnce(stage);
      }
      rounds.push(latenciesMs);
    }
    return rounds;
  } finally {
    await Promise.all(probes.map((probe) => probe.close()));
    await stage.close();
  }
}

function row(name: string, rounds: readonly (readonly number[])[]): BudgetRow {
  const all = rounds.flat();
  const p99s = rounds.map((round) => quantile(round, 0.99));
  return budgetRow(`L3 halt → last of ${PROCESSES} processes refuses, p99, ${name} ms`, LIMIT_MS, p99s, {
    'p50 of all': quantile(all, 0.5),
    'p99 of all': quantile(all, 0.99),
    'max of all': Math.max(...all),
  });
}

export async function run(): Promise<readonly BudgetRow[]> {
  return [row('journal', await measure({})), row('Redis', await measure({ redis: true }))];
}
