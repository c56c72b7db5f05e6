/** Lets campaigns hunt planted bugs: how many seeds each takes, and how few faults. */
import type { Schedule } from '../faults/schedule.js';
import type { SimulatedSabotage } from '../sabotage/sabotage.js';
import { type CampaignOptions, runCampaign } from './campaign.js';

export interface HuntResult {
  readonly name: string;
  readonly found: boolean;
  /** Over the times that it was found; absent: never. */
  readonly medianSeeds?: number;
  /** Of the first one that was shrunk. */
  readonly faults?: number;
  readonly promise?: string;
  /** What it took to shrink it. */
  readonly shrinkMs?: number;
  /** With those faults alone. */
  readonly schedule?: Schedule;
  /** What all schedules of its hunt held; absent: they were drawn as those of every campaign. */
  readonly focus?: string;
}

/** A bug is hunted so many times, each on seeds of its own, while seeds are left. */
const DEFAULT_HUNTS = 3;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** At most `seeds` seeds for this bug, all hunts together. */
export async function hunt(
  sabotage: SimulatedSabotage,
  options: Omit<CampaignOptions, 'run' | 'setup' | 'until' | 'focus'>,
  hunts = DEFAULT_HUNTS,
): Promise<HuntResult> {
  const took: number[] = [];
  let used = 0;
  let first: Pick<HuntResult, 'faults' | 'promise' | 'shrinkMs' | 'schedule'> | undefined;
  while (took.length < hunts && used < options.seeds && options.signal?.aborted !== true) {
    const result = await runCampaign({
      ...options,
      seed: options.seed + used,
      seeds: options.seeds - used,
      run: { parts: sabotage.parts },
      until: sabotage.breaks,
      ...(sabotage.setup === undefined ? {} : { setup: sabotage.setup }),
      ...(sabotage.focus === undefined ? {} : { focus: sabotage.focus }),
    });
    used += result.seeds;
    const [found] = result.violations;
    if (found === undefined) break;
    took.push(result.seeds);
    const { schedule, violation, shrinkMs } = found;
    first ??= {
      faults: schedule.faults.length,
      promise: violation.promise,
      ...(shrinkMs === undefined ? {} : { shrinkMs: Math.round(shrinkMs) }),
      schedule,
    };
  }
  return {
    name: sabotage.name,
    found: took.length > 0,
    ...(took.length === 0 ? {} : { medianSeeds: median(took) }),
    ...first,
    ...(sabotage.focus === undefined ? {} : { focus: sabotage.focus }),
  };
}
