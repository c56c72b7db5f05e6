/** How soon a dead brain is followed by its panic, and how soon trading stops by itself, on Redis: over many drills at full length. */
import { chooseBars } from '../src/drill/bars.js';
import { DEFAULT_DRILL, type DrillOptions } from '../src/drill/options.js';
import { quantile } from '../src/drill/quantile.js';
import { runDrill } from '../src/drill/run.js';
import { seededRandom } from '../src/random.js';
import type { BudgetRow } from './budget.js';

interface Series {
  readonly budget: string;
  /** The check whose figures are taken. */
  readonly check: string;
  readonly runs: number;
  readonly options: Partial<DrillOptions>;
}

const SERIES: readonly Series[] = [
  { budget: 'L1 brain dead → panic_close, p99 of 20 drills, Redis ms', check: 'L1', runs: 20, options: {} },
  {
    budget: 'L4 strategy cut off → last order begins, max of 10 drills, Redis ms',
    check: 'L4.outage',
    runs: 10,
    options: { partition: 'strategy' },
  },
  { budget: 'L4 watchdog dead → last order begins, max of 10 drills, Redis ms', check: 'L4', runs: 10, options: { kill: 'watchdog' } },
];

/** What else goes red is told: a figure of a drill that failed otherwise would be read as one of a drill that passed. */
async function measure({ budget, check: id, runs, options }: Series): Promise<BudgetRow> {
  const bars = await chooseBars();
  const rounds: number[] = [];
  let limit = Number.NaN;
  for (let turn = 1; turn <= runs; turn += 1) {
    const result = await runDrill({ ...DEFAULT_DRILL, redis: true, ...options }, bars, {
      onEvent: () => {},
      onLog: () => {},
      signal: new AbortController().signal,
      random: seededRandom(turn).fork(budget),
    });
    const [figure] = result.checks.find((check) => check.id === id)?.figures ?? [];
    const red = result.checks.filter((check) => !check.passed).map((check) => `${check.id}: ${check.evidence}`);
    if (red.length > 0) console.error(`run ${turn} of "${budget}": ${red.join('; ')}`);
    if (figure === undefined) throw new Error(`run ${turn} of "${budget}" gave no figure`);
    rounds.push(figure.ms);
    limit = figure.boundMs;
  }
  const ratio = quantile(rounds, 0.99);
  return { budget, ratio, limit, within: ratio <= limit, rounds, peers: { p50: quantile(rounds, 0.5), max: Math.max(...rounds) } };
}

export async function run(): Promise<readonly BudgetRow[]> {
  const rows: BudgetRow[] = [];
  for (const series of SERIES) rows.push(await measure(series));
  return rows;
}
