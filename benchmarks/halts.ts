/** From a halt to the refusal in every process that trades, over 200 halts, on the journal and on Redis. */
import { ACCOUNT } from '../src/drill/cast.js';
import type { DrillOptions } from '../src/drill/options.js';
import { halt } from '../src/tradingState/halt.js';
import type { BudgetRow } from './budget.js';
import { haltLatencies, latencyRow, PROCESSES } from './parts/probes.js';
import { armAtOnce, openStage } from './parts/stage.js';

/** The bound of the promise on halts, at p99. */
const LIMIT_MS = 50;

async function measure(options: Partial<DrillOptions>): Promise<readonly (readonly number[])[]> {
  const stage = await openStage(options);
  try {
    await Promise.all([stage.cast.brain(), stage.cast.watchdog(), stage.cast.worker()]);
    await stage.armAndTrade({ flat: true });
    return await haltLatencies(
      { args: ['lease', stage.cast.bus.url, ACCOUNT] },
      {
        halt: async () => {
          const halted = await halt(stage.cast.bus, { kind: 'manual', reason: 'bench', by: 'bench' });
          if (halted.outcome !== 'committed') throw new Error(`a halt was not committed: ${JSON.stringify(halted)}`);
        },
        release: () => armAtOnce(stage),
      },
    );
  } finally {
    await stage.close();
  }
}

function row(name: string, rounds: readonly (readonly number[])[]): BudgetRow {
  return latencyRow(`L3 halt → last of ${PROCESSES} processes refuses, p99, ${name} ms`, LIMIT_MS, rounds);
}

export async function run(): Promise<readonly BudgetRow[]> {
  return [row('journal', await measure({})), row('Redis', await measure({ redis: true }))];
}
