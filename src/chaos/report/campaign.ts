/** One folder a campaign: what a program reads, what a build server reads, what a person reads. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Played, ScenarioResult } from '../run/runScenario.js';
import type { ChaosArtifact } from './artifact.js';
import { controlPlaneDumps, resourceTimeline } from './controlPlane.js';
import { htmlOf } from './html/page.js';
import { incidentOf } from './incident.js';
import { junitOf } from './junit.js';
import { markdownOf } from './words.js';

export interface CampaignOptions {
  /** In which the new folder is made. */
  readonly parent: string;
  /** Between two dumps of the control plane, and between two samples of its resources. */
  readonly dumpEveryMs: number;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** A list with one operation a line: people read it as well. */
const linesOf = (history: readonly object[]): string => `[\n${history.map((operation) => JSON.stringify(operation)).join(',\n')}\n]\n`;

/** Thousands of operations are in a file of their own. */
const withoutHistory = (result: ScenarioResult): ScenarioResult => {
  if (!result.ran) return result;
  const { history: _, ...others } = result;
  return others;
};

/** Answers where it is. */
export async function writeCampaign(
  results: readonly ScenarioResult[],
  artifact: ChaosArtifact,
  { parent, dumpEveryMs }: CampaignOptions,
): Promise<string> {
  const folder = join(parent, `campaign-${artifact.validation_timestamp.replaceAll(/[:.]/g, '-')}`);
  await mkdir(folder, { recursive: true });
  await Promise.all([
    writeFile(join(folder, 'chaos_resilience_validation.json'), json(artifact)),
    writeFile(join(folder, 'results.json'), `${JSON.stringify(results.map(withoutHistory))}\n`),
    writeFile(join(folder, 'junit.xml'), junitOf(results)),
    writeFile(join(folder, 'report.md'), markdownOf(results, artifact)),
    writeFile(join(folder, 'report.html'), htmlOf(results, artifact)),
    ...results.filter((result) => result.ran).map((played) => writeIncident(played, folder, dumpEveryMs)),
  ]);
  return folder;
}

async function writeIncident(played: Played, campaign: string, dumpEveryMs: number): Promise<void> {
  const folder = join(campaign, played.scenario);
  await mkdir(folder, { recursive: true });
  const dumps = controlPlaneDumps(played, dumpEveryMs);
  const samples = resourceTimeline(played, dumpEveryMs);
  const incident = incidentOf(played, { folder, dumps: dumps.length, samples: samples.length });
  await Promise.all([
    writeFile(join(folder, 'incident.json'), json(incident)),
    writeFile(join(folder, 'control_plane_dumps.json'), json(dumps)),
    writeFile(join(folder, 'resource_metrics_timeline.json'), json(samples)),
    writeFile(join(folder, 'consistency_checks.json'), json(incident.checks)),
    ...(played.history === undefined ? [] : [writeFile(join(folder, 'history.json'), linesOf(played.history))]),
  ]);
}
