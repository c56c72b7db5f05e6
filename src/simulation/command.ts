/** `failflat simulate`: campaigns, replays and sabotages, told to a person or a program. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkInteger, checkNumber, checkOneOf } from '../checks.js';
import { systemClock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { EXIT_CODES, type ExitCode } from '../process/exit.js';
import type { Output } from '../process/output.js';
import { type CampaignOptions, type CampaignResult, type FoundViolation, runCampaign } from './campaign/campaign.js';
import { runSchedule } from './campaign/run.js';
import { type HuntResult, hunt } from './campaign/sabotageHunt.js';
import { timelineOf } from './campaign/timeline.js';
import { parseSchedule, type Schedule } from './faults/schedule.js';
import { SIMULATED_SABOTAGES, simulatedSabotage } from './sabotage/catalogue.js';
import { LAYERS, type Layer, withoutLayer } from './sabotage/layers.js';

export interface SimulateOptions {
  readonly seeds?: number;
  readonly minutes?: number;
  readonly seed?: number;
  readonly replay?: string;
  readonly swarm?: boolean;
  readonly without?: string;
  readonly sabotage?: string;
  /** Where the schedules of violations are stored, and those of planted bugs where it is given. */
  readonly store?: string;
}

export interface SimulateContext {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly json: boolean;
}

export const DEFAULT_SEEDS = 100;
export const DEFAULT_STORE = './var/simulation';
/** A campaign as long as this meets every interesting state, or it is not the campaign that it should be. */
const MUST_REACH_FROM = 200;
const MS_PER_MINUTE = 60_000;
const PROGRESS_EVERY = 50;

interface SimulationDocument {
  readonly verdict: 'pass' | 'fail';
  readonly seeds: number;
  readonly traceHash: string;
  readonly simulatedSecondsPerSecond: number;
  readonly seedsPerSecond: number;
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  readonly violations: readonly { readonly seed: number; readonly promise: string; readonly detail: string; readonly schedule: Schedule }[];
  readonly sabotages: readonly Omit<HuntResult, 'schedule'>[];
}

const NOTHING: Omit<SimulationDocument, 'verdict' | 'sabotages'> = {
  seeds: 0,
  traceHash: '',
  simulatedSecondsPerSecond: 0,
  seedsPerSecond: 0,
  reached: [],
  missed: [],
  violations: [],
};

function measured({
  seeds,
  traceHash,
  simulatedMs,
  tookMs,
  reached,
  missed,
}: CampaignResult): Omit<SimulationDocument, 'verdict' | 'sabotages' | 'violations'> {
  return {
    seeds,
    traceHash,
    simulatedSecondsPerSecond: Math.round(simulatedMs / tookMs),
    seedsPerSecond: Math.round((seeds / tookMs) * 1e5) / 100,
    reached,
    missed,
  };
}

async function keep(directory: string, name: string, schedule: Schedule): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  await writeFile(file, `${JSON.stringify(schedule, null, 2)}\n`);
  return file;
}

async function store(directory: string, { violation, seed, schedule }: FoundViolation): Promise<string> {
  return keep(directory, `${violation.promise}-seed-${seed}`, schedule);
}

async function campaign(options: CampaignOptions, directory: string, say: (line: string) => void): Promise<SimulationDocument> {
  const result = await runCampaign(options);
  for (const found of result.violations) {
    const file = await store(directory, found);
    say(`\nSeed ${found.seed} broke ${found.violation.promise}: ${found.violation.detail}`);
    say(`${timelineOf(found.run)}\nStored as ${file}; replay it with: failflat simulate --replay ${file}`);
  }
  const missedSome = result.seeds >= MUST_REACH_FROM && result.missed.length > 0;
  if (result.missed.length > 0) say(`${missedSome ? 'Never reached' : 'Not reached by so few seeds'}: ${result.missed.join(', ')}.`);
  const violations = result.violations.map(({ seed, violation, schedule }) => ({
    seed,
    promise: violation.promise,
    detail: violation.detail,
    schedule,
  }));
  const verdict = violations.length > 0 || missedSome || result.seeds === 0 ? 'fail' : 'pass';
  const document = { verdict, ...measured(result), violations, sabotages: [] } as const;
  const { seeds, simulatedSecondsPerSecond, seedsPerSecond, traceHash } = document;
  say(
    `${seeds} seeds, ${violations.length} violations, ${simulatedSecondsPerSecond} simulated seconds per second, ${seedsPerSecond} seeds per second, trace ${traceHash}.`,
  );
  return document;
}

async function sabotages(
  names: string,
  options: CampaignOptions,
  directory: string | undefined,
  say: (line: string) => void,
): Promise<SimulationDocument> {
  const chosen = names === 'all' ? SIMULATED_SABOTAGES : [simulatedSabotage(names)];
  const hunted: Omit<HuntResult, 'schedule'>[] = [];
  for (const sabotage of chosen) {
    const { schedule, ...result } = await hunt(sabotage, options);
    if (directory !== undefined && schedule !== undefined) await keep(directory, sabotage.name, schedule);
    hunted.push(result);
    const how = result.found
      ? `found, median ${result.medianSeeds} seeds, ${result.faults} faults (${result.promise}), shrunk in ${result.shrinkMs} ms`
      : `NOT FOUND in ${options.seeds} seeds`;
    say(`${sabotage.name}: without ${sabotage.removes}: ${how}`);
  }
  return { ...NOTHING, verdict: hunted.every(({ found }) => found) ? 'pass' : 'fail', sabotages: hunted };
}

async function replay(file: string, say: (line: string) => void): Promise<SimulationDocument> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigurationError('replay', file, `must be a readable file (${messageOf(error)})`);
  });
  const startedMs = systemClock.monotonicMs();
  const run = await runSchedule(parseSchedule(text));
  say(timelineOf(run));
  const { schedule, traceHash, reached } = run;
  const result = {
    seeds: 1,
    simulatedMs: schedule.endMs,
    tookMs: systemClock.monotonicMs() - startedMs,
    traceHash,
    reached,
    missed: [],
    violations: [],
  };
  const violations = run.violations.map(({ promise, detail }) => ({ seed: schedule.seed, promise, detail, schedule }));
  say(`${violations.length} violations, trace ${traceHash}.`);
  return { verdict: violations.length > 0 ? 'fail' : 'pass', ...measured(result), violations, sabotages: [] };
}

function layerOf(without: string | undefined): Layer | undefined {
  return without === undefined ? undefined : checkOneOf('without', without, LAYERS);
}

/** Throws ConfigurationError for wrong options. */
export async function simulate(options: SimulateOptions, { output, signal, json }: SimulateContext): Promise<ExitCode> {
  const say = (line: string) => (json ? undefined : output.out(line));
  const seeds = checkInteger('seeds', options.seeds ?? (options.minutes === undefined ? DEFAULT_SEEDS : Number.MAX_SAFE_INTEGER), {
    min: 1,
  });
  const minutes = options.minutes === undefined ? undefined : checkNumber('minutes', options.minutes, { min: 0.01 });
  const layer = layerOf(options.without);
  const base: CampaignOptions = {
    seed: checkInteger('seed', options.seed ?? 1, { min: 0 }),
    seeds,
    clock: systemClock,
    signal,
    swarm: options.swarm === true,
    ...(minutes === undefined ? {} : { forMs: minutes * MS_PER_MINUTE }),
    ...(layer === undefined ? {} : withoutLayer(layer)),
    progress: (done, broken) => {
      if (!json && done % PROGRESS_EVERY === 0) output.err(`${done} seeds, ${broken} violations`);
    },
  };
  const document =
    options.replay !== undefined
      ? await replay(options.replay, say)
      : options.sabotage !== undefined
        ? await sabotages(options.sabotage, base, options.store, say)
        : await campaign(base, options.store ?? DEFAULT_STORE, say);
  if (json) output.out(JSON.stringify(document));
  if (signal.aborted) return EXIT_CODES.couldNotRun;
  return document.verdict === 'pass' ? EXIT_CODES.ok : EXIT_CODES.red;
}
