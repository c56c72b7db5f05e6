/** `failflat chaos run` behind its options: plays the scenario, tells a person or a program, writes the folder of the campaign. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { chooseBars } from '../../drill/bars.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import type { Output } from '../../process/output.js';
import { seededRandom } from '../../random.js';
import { artifactOf, type ChaosArtifact } from '../report/artifact.js';
import { junitOf } from '../report/junit.js';
import { linesOf, markdownOf, verdictOf } from '../report/words.js';
import { type ChaosRunOptions, checkChaosRunOptions } from './options.js';
import { runScenario, type ScenarioResult } from './runScenario.js';
import { scenarioNamed } from './scenarios/catalogue.js';

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

/** Throws ConfigurationError for an unknown scenario and for options that cannot hold. */
export async function chaosRun(
  name: string,
  given: Partial<ChaosRunOptions>,
  { output, clock, signal, json }: ChaosRunContext,
): Promise<ExitCode> {
  const scenario = scenarioNamed(name);
  const options = checkChaosRunOptions(given);
  const startedMs = clock.monotonicMs();
  const say = (line: string) => (json ? undefined : output.out(line));
  say(`Chaos: ${scenario.summary}.`);
  const result = await runScenario(scenario, options, {
    clock,
    bars: await chooseBars(undefined),
    signal,
    random: seededRandom(options.seed),
    onEvent: ({ atMs, text }) => say(`${((atMs - startedMs) / 1_000).toFixed(3).padStart(8)} s  ${text}`),
    onLog: (process, line) => (options.verbose ? output.err(`${process}: ${line}`) : undefined),
  });
  const artifact = artifactOf([result], clock.wallMs());
  const folder = await writeCampaign(options.outputDirectory, [result], artifact);
  if (json) output.out(JSON.stringify({ verdict: verdictOf(result), result, artifact, folder }));
  else for (const line of [...linesOf(result), `Report: ${folder}`]) output.out(line);
  return CODE_OF[verdictOf(result)];
}

/** One folder a campaign: what a program reads, what a build server reads, what a person reads. */
async function writeCampaign(parent: string, results: readonly ScenarioResult[], artifact: ChaosArtifact): Promise<string> {
  const folder = join(parent, `campaign-${artifact.validation_timestamp.replaceAll(/[:.]/g, '-')}`);
  await mkdir(folder, { recursive: true });
  await Promise.all([
    writeFile(join(folder, 'chaos_resilience_validation.json'), `${JSON.stringify(artifact, undefined, 2)}\n`),
    writeFile(join(folder, 'results.json'), `${JSON.stringify(results)}\n`),
    writeFile(join(folder, 'junit.xml'), junitOf(results)),
    writeFile(join(folder, 'report.md'), markdownOf(results, artifact)),
  ]);
  return folder;
}
