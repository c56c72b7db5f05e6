/** Runs the drill as often as asked, tells a person or a program, and answers with the exit code. */
import { systemClock } from '../clock.js';
import { EXIT_CODES, type ExitCode } from '../process/exit.js';
import type { Output } from '../process/output.js';
import { seededRandom } from '../random.js';
import { chooseBars, type DrillBars } from './bars.js';
import { documentOf, errorDocument, type RunError } from './document.js';
import { checkDrillOptions, type DrillOptions } from './options.js';
import { repeat } from './repeat.js';
import { checkTable, palette, summary, timelineLine, timingTable } from './report.js';
import { runDrill, scenarioOf } from './run.js';

export interface DrillContext {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly json: boolean;
}

/** Throws ConfigurationError for wrong options; a rig that fails is exit code 3, never a verdict. */
export async function drill(given: Partial<DrillOptions>, { output, signal, json }: DrillContext): Promise<ExitCode> {
  const options = checkDrillOptions(given);
  const { scenario, sabotage } = scenarioOf(options);
  const bars = await chooseBars(options.bars);
  const colours = palette(output.colours && !json);
  const say = (line: string) => (json ? undefined : output.out(line));
  say(`Drill: ${scenario.summary}.`);
  if (sabotage !== undefined) say(`Sabotage ${sabotage.name}: without ${sabotage.removes}. It must be caught.`);
  say(describe(options, bars));
  const runOnce = (run: number) => {
    if (options.repeat > 1) say(`\nRun ${run} of ${options.repeat}`);
    const startedMs = systemClock.monotonicMs();
    return runDrill(options, bars, {
      onEvent: (entry) => say(timelineLine(entry, startedMs, colours)),
      onLog: (name, line) => (options.verbose ? output.err(`${name}: ${line}`) : undefined),
      signal,
      random: seededRandom(options.seed).fork(`run ${run}`),
    });
  };
  const onError = ({ run, error }: RunError) => output.err(`The rig failed in run ${run}, so it has no verdict: ${error}`);
  const { runs, errors } = await repeat(options.repeat, runOnce, { signal, onError });
  const [first, ...others] = runs;
  if (signal.aborted || first === undefined) {
    const problem = signal.aborted ? 'interrupted' : (errors[0]?.error ?? 'no run was made');
    if (json) output.out(JSON.stringify(errorDocument(problem, errors, options)));
    if (signal.aborted) output.err('Interrupted: no verdict.');
    return EXIT_CODES.couldNotRun;
  }
  const document = documentOf(first, others, errors, options);
  if (json) output.out(JSON.stringify(document));
  else for (const part of [checkTable(document, colours), timingTable(document.timings), summary(document, colours)]) say(`\n${part}`);
  return EXIT_CODE_OF[document.verdict];
}

const EXIT_CODE_OF = { pass: EXIT_CODES.ok, fail: EXIT_CODES.red, error: EXIT_CODES.couldNotRun } as const;

function describe(options: DrillOptions, bars: DrillBars): string {
  const day = new Date(bars.crashOpenMs).toISOString().slice(0, 10);
  return `${options.positions} positions, venue latency ${options.venueLatencyMs} ms, scale ${options.scale}, seed ${options.seed}; ${bars.count} bars, the fault falls on ${day}.`;
}
