/** What a drill says in the end, of one run or of many: the verdict, the worst of everything, the distribution of the timings. */
import { withoutSecrets } from '../bus/withoutSecrets.js';
import { mergeRuns } from './merge.js';
import type { DrillOptions } from './options.js';
import { quantile } from './quantile.js';
import { type RunResult, scenarioOf } from './run.js';

/** A run that the rig could not bring to its end: it has no verdict, and is never counted as passed. */
export interface RunError {
  readonly run: number;
  readonly error: string;
}

/** What `--json` prints, unless the rig brings no run to its end: {@link DrillErrorDocument}. */
export interface DrillDocument extends Omit<RunResult, 'verdict'> {
  /** `error`: nothing went red, and at least one run has no verdict. */
  readonly verdict: RunResult['verdict'] | 'error';
  readonly seed: number;
  /** How many were asked for. */
  readonly runs: number;
  readonly errors: readonly RunError[];
  /** With a sabotage: whether the check meant for it went red on evidence, and no unrelated one did. */
  readonly sabotage?: { readonly name: string; readonly caught: boolean; readonly unrelatedRed: readonly string[] };
}

/** Of at least one run that came to its end. */
export function documentOf(
  first: RunResult,
  others: readonly RunResult[],
  errors: readonly RunError[],
  options: DrillOptions,
): DrillDocument {
  const result = withDistribution(mergeRuns(first, others));
  // A red check is evidence whatever befell the other runs; a run without a verdict leaves no green one.
  const verdict = result.verdict === 'pass' && errors.length > 0 ? 'error' : result.verdict;
  const base: DrillDocument = { ...result, verdict, seed: options.seed, runs: options.repeat, errors };
  const { sabotage } = scenarioOf(options);
  if (sabotage === undefined) return base;
  const red = result.checks.filter((check) => !check.passed && !check.missing).map((check) => check.id);
  const unrelatedRed = red.filter((id) => id !== sabotage.red && !sabotage.consequences.includes(id));
  return { ...base, sabotage: { name: sabotage.name, caught: red.includes(sabotage.red) && unrelatedRed.length === 0, unrelatedRed } };
}

/** What is counted or read at the end of a run. */
type Counted = Exclude<keyof RunResult, 'scenario' | 'summary' | 'verdict' | 'bus' | 'checks' | 'timings'>;

const NOTHING_COUNTED: Readonly<Record<Counted, null>> = {
  positionsAtKill: null,
  positionsAfter: null,
  openOrdersAfter: null,
  tradingState: null,
  flatVerdict: null,
  panics: null,
  incidents: null,
  ordersAttemptedAfterHalt: null,
  ordersAfterHalt: null,
  exposureIncreasedByExit: null,
  closedTwice: null,
};

/** The same fields where no run came to its end: what nobody has seen is `null` or empty, never a number. */
export interface DrillErrorDocument
  extends Pick<DrillDocument, 'scenario' | 'summary' | 'seed' | 'runs' | 'errors' | 'timings'>,
    Readonly<Record<Counted, null>> {
  readonly verdict: 'error';
  readonly error: string;
  /** The bus that was asked for. `null`: one of the drill's own. */
  readonly bus: string | null;
  readonly checks: readonly [];
}

export function errorDocument(error: string, errors: readonly RunError[], options: DrillOptions): DrillErrorDocument {
  const { name: scenario, summary } = scenarioOf(options).scenario;
  return {
    verdict: 'error',
    error,
    scenario,
    summary,
    seed: options.seed,
    runs: options.repeat,
    errors,
    bus: options.bus === undefined ? null : withoutSecrets(options.bus),
    checks: [],
    ...NOTHING_COUNTED,
    timings: { killToPanicMs: [], panicToBookEmptyMs: [], panicToFlatVerifiedMs: [], killToFlatVerifiedMs: [] },
  };
}

/** From so many runs on, these promises of speed are read as they are written: of the 99th percentile. */
const RUNS_FOR_P99 = 100;
const READ_AT_P99: readonly string[] = ['L1', 'L2'];

function withDistribution(result: RunResult): RunResult {
  const checks = result.checks.map((check) => {
    // A run without a figure has its own word: the others' must not cover it.
    if (check.figures.length < RUNS_FOR_P99 || check.missing || !READ_AT_P99.includes(check.id)) return check;
    const shares = check.figures.map(({ ms, boundMs, stallMs }) => ms / (boundMs + stallMs));
    const measuredMs = check.figures.map((figure) => figure.ms);
    const p99 = quantile(shares, 0.99);
    const evidence = `p99 of ${shares.length} runs: ${(p99 * 100).toFixed(0)} % of what was allowed, each run's own stall counted; ${quantile(measuredMs, 0.99).toFixed(0)} ms, max ${quantile(measuredMs, 1).toFixed(0)} ms`;
    return { ...check, passed: p99 <= 1, missing: false, evidence };
  });
  return { ...result, checks, verdict: checks.every((check) => check.passed) ? 'pass' : 'fail' };
}
