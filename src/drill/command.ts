/** Runs the drill as often as asked, tells a person or a program, and answers with the exit code. */
import { systemClock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { EXIT_CODES, type ExitCode } from '../process/exit.js';
import type { Output } from '../process/output.js';
import { seededRandom } from '../random.js';
import { scaledTimings } from '../roles/scale.js';
import { chooseBars, type DrillBars } from './bars.js';
import type { TimelineEntry } from './conductor.js';
import { TOLERANCE_MS } from './judge/evidence.js';
import { type DrillDocument, mergeRuns } from './merge.js';
import { checkDrillOptions, type DrillOptions } from './options.js';
import { checkTable, palette, quantile, summary, timelineLine, timingTable } from './report.js';
import { type RunResult, runDrill, scenarioOf } from './run.js';
import type { Sabotage } from './sabotage/catalogue.js';

export interface DrillContext {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly json: boolean;
}

/** Throws {@link ConfigurationError} for wrong options; a rig that fails is exit code 3, never a verdict. */
export async function drill(given: Partial<DrillOptions>, { output, signal, json }: DrillContext): Promise<ExitCode> {
  const options = checkDrillOptions(given);
  const { scenario, sabotage } = scenarioOf(options);
  const bars = await chooseBars(options.bars);
  const colours = palette(output.colours && !json);
  const say = (line: string) => (json ? undefined : output.out(line));
  say(`Drill: ${scenario.summary}.`);
  if (sabotage !== undefined) say(`Sabotage ${sabotage.name}: without ${sabotage.removes}. It must be caught.`);
  say(describe(options, bars));
  try {
    const runs: RunResult[] = [];
    for (let run = 1; run <= options.repeat; run++) {
      if (options.repeat > 1) say(`\nRun ${run} of ${options.repeat}`);
      const startedMs = systemClock.monotonicMs();
      const onEvent = (entry: TimelineEntry) => say(timelineLine(entry, startedMs, colours));
      const onLog = (name: string, line: string) => (options.verbose ? output.err(`${name}: ${line}`) : undefined);
      const random = seededRandom(options.seed).fork(`run ${run}`);
      runs.push(await runDrill(options, bars, { onEvent, onLog, signal, random }));
    }
    const [first, ...others] = runs;
    if (first === undefined) return EXIT_CODES.couldNotRun;
    const document = documentOf(mergeRuns(first, others), options, sabotage);
    if (json) output.out(JSON.stringify(document));
    else for (const part of [checkTable(document, colours), timingTable(document.timings), summary(document, colours)]) say(`\n${part}`);
    return document.verdict === 'pass' ? EXIT_CODES.ok : EXIT_CODES.red;
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    const problem = signal.aborted ? 'interrupted' : messageOf(error);
    if (json) output.out(JSON.stringify({ verdict: 'error', seed: options.seed, error: problem }));
    output.err(signal.aborted ? 'Interrupted: no verdict.' : `The rig failed, so there is no verdict: ${problem}`);
    return EXIT_CODES.couldNotRun;
  }
}

function documentOf(result: RunResult, options: DrillOptions, sabotage: Sabotage | undefined): DrillDocument {
  const base = { ...withDistribution(result, options), seed: options.seed, runs: options.repeat };
  if (sabotage === undefined) return base;
  const red = result.checks.filter((check) => !check.passed && !check.missing).map((check) => check.id);
  const unrelatedRed = red.filter((id) => id !== sabotage.red && !sabotage.consequences.includes(id));
  return { ...base, sabotage: { name: sabotage.name, caught: red.includes(sabotage.red) && unrelatedRed.length === 0, unrelatedRed } };
}

function describe(options: DrillOptions, bars: DrillBars): string {
  const day = new Date(bars.crashOpenMs).toISOString().slice(0, 10);
  return `${options.positions} positions, venue latency ${options.venueLatencyMs} ms, scale ${options.scale}, seed ${options.seed}; ${bars.count} bars, the fault falls on ${day}.`;
}

/** From so many runs on the promise is read as it is written: of the 99th percentile. */
const RUNS_FOR_P99 = 100;

function withDistribution(result: RunResult, options: DrillOptions): RunResult {
  const samples = result.timings.killToPanicMs;
  if (samples.length < RUNS_FOR_P99) return result;
  const boundMs = scenarioOf(options).scenario.detectionMs(scaledTimings(options.scale)) + TOLERANCE_MS;
  const p99Ms = quantile(samples, 0.99);
  const evidence = `p99 of ${samples.length} runs ${p99Ms.toFixed(0)} ms, at most ${boundMs.toFixed(0)} ms; max ${quantile(samples, 1).toFixed(0)} ms`;
  const checks = result.checks.map((check) => (check.id === 'L1' ? { ...check, passed: p99Ms <= boundMs, evidence } : check));
  return { ...result, checks, verdict: checks.every((check) => check.passed) ? 'pass' : 'fail' };
}
