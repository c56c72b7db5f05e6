/** `failflat chaos run` behind its options: plays one scenario or several, tells a person or a program, and has the folder of the campaign written. */
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { chooseBars } from '../../drill/bars.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import type { Output } from '../../process/output.js';
import { seededRandom } from '../../random.js';
import { artifactOf } from '../report/artifact.js';
import { writeCampaign } from '../report/campaign.js';
import { linesOf, verdictOf } from '../report/words.js';
import { busKindFor, type ChaosRunOptions, checkChaosRunOptions } from './options.js';
import { OwnGround } from './ownGround.js';
import { runScenario, type ScenarioResult } from './runScenario.js';
import type { ChaosScenario } from './scenario.js';
import { scenariosNamed } from './scenarios/catalogue.js';

export interface ChaosRunContext {
  readonly output: Output;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly json: boolean;
}

const CODE_OF = {
  PASSED: EXIT_CODES.ok,
  FAILED: EXIT_CODES.red,
  INCONCLUSIVE: EXIT_CODES.couldNotRun,
  'NOT RUN': EXIT_CODES.couldNotRun,
} as const;

/** Red on evidence outweighs what could not be done, and that outweighs a pass. */
export function exitCodeOf(results: readonly ScenarioResult[]): ExitCode {
  const codes = results.map((result) => CODE_OF[verdictOf(result)]);
  return (
    [EXIT_CODES.red, EXIT_CODES.couldNotRun].find((code) => codes.includes(code)) ??
    (codes.length === 0 ? EXIT_CODES.couldNotRun : EXIT_CODES.ok)
  );
}

/** `names`: one scenario, several with commas between, or `all`. Throws ConfigurationError for an unknown one and for options that cannot hold. */
export async function chaosRun(names: string, given: Partial<ChaosRunOptions>, context: ChaosRunContext): Promise<ExitCode> {
  return playAll(scenariosNamed(names), checkChaosRunOptions(given), context);
}

/** Plays them one after another, and writes the folder of the campaign. Throws ConfigurationError for a bus on which one cannot happen. */
export async function playAll(
  scenarios: readonly ChaosScenario[],
  options: ChaosRunOptions,
  { output, clock, signal, json }: ChaosRunContext,
): Promise<ExitCode> {
  // What is asked of a bus on which it cannot happen is told before anything is started.
  for (const scenario of scenarios) busKindFor(scenario, options);
  const bars = await chooseBars(undefined);
  const random = seededRandom(options.seed);
  const say = (line: string) => (json ? undefined : output.out(line));
  const results: ScenarioResult[] = [];
  const ground = await OwnGround.open();
  try {
    for (const scenario of scenarios) {
      const startedMs = clock.monotonicMs();
      say(`Chaos: ${scenario.summary}.`);
      const result = await runScenario(scenario, options, {
        clock,
        bars,
        signal,
        random,
        undo: ground.undo,
        onEvent: ({ atMs, text }) => say(`${((atMs - startedMs) / 1_000).toFixed(3).padStart(8)} s  ${text}`),
        onLog: (process, line) => (options.verbose ? output.err(`${process}: ${line}`) : undefined),
      });
      results.push(result);
      for (const line of linesOf(result)) say(line);
      if (signal.aborted) break;
    }
  } finally {
    await ground.close();
  }
  const artifact = artifactOf(results, clock.wallMs());
  const folder = await writeCampaign(results, artifact, { parent: options.outputDirectory, dumpEveryMs: options.dumpEveryMs });
  if (json) output.out(JSON.stringify({ verdicts: results.map(verdictOf), results, artifact, folder }));
  else output.out(`Report: ${join(folder, 'report.html')}`);
  return exitCodeOf(results);
}
