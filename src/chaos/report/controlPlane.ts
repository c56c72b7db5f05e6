/** Dumps of the control plane and the timeline of resources, at an interval: what stood where, by the eyes of the observer alone. */
import type { Sample } from '../run/monitor.js';
import { BEATERS, type Recording } from '../run/recording.js';
import type { Played } from '../run/runScenario.js';
import { isoAt } from './moments.js';

export interface ControlPlaneDump {
  readonly at: string | null;
  /** `null`: no trading state had been seen yet. */
  readonly system_state: string | null;
  readonly epoch: number | null;
  /** One letter as `ps` has it; `null`: ended. */
  readonly process_states: Readonly<Record<string, string | null>>;
  /** Lives after the first, of each role. */
  readonly restart_counts: Readonly<Record<string, number>>;
  /** Age of the last beat; `null`: none had been seen. */
  readonly heartbeat_ages_ms: Readonly<Record<string, number | null>>;
  readonly cpu_share: number | null;
  readonly resident_bytes: number;
}

export interface ResourceSample {
  readonly at: string | null;
  readonly machine_cpu_share: number | null;
  readonly event_loop_delay_ms: number;
  readonly processes: Readonly<Record<string, { readonly cpu_share: number | null; readonly resident_bytes: number | null }>>;
}

/** One sample for each interval, the first one included. */
export function everyMs(samples: readonly Sample[], intervalMs: number): readonly Sample[] {
  let dueMs = -Infinity;
  return samples.filter(({ atMs }) => {
    if (atMs < dueMs) return false;
    dueMs = atMs + intervalMs;
    return true;
  });
}

export function controlPlaneDumps({ samples, recording }: Pick<Played, 'samples' | 'recording'>, intervalMs: number): ControlPlaneDump[] {
  return everyMs(samples, intervalMs).map((sample) => dumpOf(sample, recording));
}

function dumpOf({ atMs, processes, machineShare }: Sample, recording: Recording): ControlPlaneDump {
  const mode = recording.modes.findLast((seen) => seen.atMs <= atMs);
  const age = (moments: readonly number[]) => {
    const last = moments.findLast((moment) => moment <= atMs);
    return last === undefined ? null : Math.round(atMs - last);
  };
  const lives = new Map<string, number>();
  for (const { name } of processes) {
    const role = name.replace(/-\d+$/, '');
    lives.set(role, (lives.get(role) ?? 0) + 1);
  }
  return {
    at: isoAt(recording, atMs),
    system_state: mode?.mode ?? null,
    epoch: mode?.epoch ?? null,
    process_states: Object.fromEntries(processes.map(({ name, state }) => [name, state ?? null])),
    restart_counts: Object.fromEntries([...lives].map(([role, count]) => [role, count - 1])),
    heartbeat_ages_ms: Object.fromEntries(BEATERS.map((who) => [who, age(recording.beats[who])])),
    cpu_share: machineShare ?? null,
    resident_bytes: processes.reduce((sum, { residentBytes }) => sum + (residentBytes ?? 0), 0),
  };
}

export function resourceTimeline({ samples, recording }: Pick<Played, 'samples' | 'recording'>, intervalMs: number): ResourceSample[] {
  return everyMs(samples, intervalMs).map(({ atMs, machineShare, loopDelayMs, processes }) => ({
    at: isoAt(recording, atMs),
    machine_cpu_share: machineShare ?? null,
    event_loop_delay_ms: loopDelayMs,
    processes: Object.fromEntries(
      processes.map(({ name, cpuShare, residentBytes }) => [name, { cpu_share: cpuShare ?? null, resident_bytes: residentBytes ?? null }]),
    ),
  }));
}
