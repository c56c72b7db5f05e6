/** Many seeds in a row: what was broken and shrunk, what was reached, and how fast it went. */
import type { Clock } from '../../clock.js';
import type { Coincidence } from '../faults/coincidences.js';
import { drawSchedule } from '../faults/draw.js';
import type { Fault, Schedule } from '../faults/schedule.js';
import { REACHABLE } from '../judge/reached.js';
import type { Violation } from '../judge/violation.js';
import { TraceHash } from '../kernel/trace.js';
import type { WorldSetup } from '../world/setup.js';
import { type RunOptions, type RunResult, runSchedule } from './run.js';
import { shrinkFaults } from './shrink.js';

export interface CampaignOptions {
  /** The first seed; the next ones follow. */
  readonly seed: number;
  /** How many seeds at most. */
  readonly seeds: number;
  /** No further seed begins after so long on the clock. Default: no limit. */
  readonly forMs?: number;
  readonly swarm?: boolean;
  readonly run?: RunOptions;
  /** What every world begins with, whatever its seed says. */
  readonly setup?: Partial<WorldSetup>;
  /** What all schedules hold. */
  readonly focus?: Coincidence;
  /** Ends with the first violation of one of these. Default: goes on. */
  readonly until?: readonly string[];
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, broken: number) => void;
}

export interface FoundViolation {
  readonly seed: number;
  readonly violation: Violation;
  /** With only the faults that it takes. */
  readonly schedule: Schedule;
  readonly run: RunResult;
  /** What it took to find those out; absent: they were not looked for. */
  readonly shrinkMs?: number;
}

export interface CampaignResult {
  readonly seeds: number;
  readonly simulatedMs: number;
  readonly tookMs: number;
  /** Of all runs in order. */
  readonly traceHash: string;
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  readonly violations: readonly FoundViolation[];
}

/** At most so many violations are shrunk: each costs some runs. */
const MAX_SHRUNK = 5;

export function scheduleFor(
  seed: number,
  { swarm = false, setup = {}, focus }: Pick<CampaignOptions, 'swarm' | 'setup' | 'focus'>,
): Schedule {
  const drawn = drawSchedule(seed, { swarm: swarm && seed % 2 === 0, ...(focus === undefined ? {} : { focus }) });
  return { ...drawn, setup: { ...drawn.setup, ...setup } };
}

/** The smallest schedule that breaks the same promise, and its run. */
export async function shrinkRun(
  found: RunResult,
  violation: Violation,
  options: RunOptions = {},
): Promise<{ schedule: Schedule; run: RunResult }> {
  let smallest = found;
  await shrinkFaults(found.schedule.faults, async (faults: readonly Fault[]) => {
    const run = await runSchedule({ ...found.schedule, faults }, options);
    const breaks = run.violations.some(({ promise }) => promise === violation.promise);
    if (breaks) smallest = run;
    return breaks;
  });
  return { schedule: smallest.schedule, run: smallest };
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { seed: first, seeds, forMs = Infinity, clock, until, signal } = options;
  const startedMs = clock.monotonicMs();
  const trace = new TraceHash();
  const reached = new Set<string>();
  const violations: FoundViolation[] = [];
  let done = 0;
  let simulatedMs = 0;
  const mayGoOn = () => done < seeds && signal?.aborted !== true && clock.monotonicMs() - startedMs < forMs;
  while (mayGoOn()) {
    const seed = first + done;
    const run = await runSchedule(scheduleFor(seed, options), options.run);
    done += 1;
    simulatedMs += run.schedule.endMs;
    trace.add(seed, run.traceHash);
    for (const name of run.reached) reached.add(name);
    const violation = run.violations.find(({ promise }) => until?.includes(promise) ?? true);
    if (violation !== undefined) {
      const foundMs = clock.monotonicMs();
      if (violations.length >= MAX_SHRUNK) violations.push({ seed, violation, schedule: run.schedule, run });
      else {
        const small = await shrinkRun(run, violation, options.run);
        violations.push({ seed, violation, ...small, shrinkMs: clock.monotonicMs() - foundMs });
      }
    }
    options.progress?.(done, violations.length);
    if (until !== undefined && violations.length > 0) break;
  }
  return {
    seeds: done,
    simulatedMs,
    tookMs: clock.monotonicMs() - startedMs,
    traceHash: trace.digest(),
    reached: REACHABLE.filter((name) => reached.has(name)),
    missed: REACHABLE.filter((name) => !reached.has(name)),
    violations,
  };
}
