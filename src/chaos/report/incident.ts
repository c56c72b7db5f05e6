/** The incident file of a scenario: what was injected, who noticed, which safeguard acted by its own record, and how it came back. */
import type { Played } from '../run/runScenario.js';
import { firstFailures } from './lookFirst.js';
import { isoAt } from './moments.js';

export interface Incident {
  readonly incident_id: string;
  readonly scenario: string;
  readonly summary: string;
  readonly bus: string;
  /** ISO 8601 in UTC, like all moments here; `null`: it never came. */
  readonly started_at: string | null;
  readonly faults_injected_at: Readonly<Record<string, string>>;
  readonly fault_ended_at: string | null;
  /** When the promise of this scenario was first seen to act, or another reader saw the fault. */
  readonly detected_at: string | null;
  readonly detection_ms: number | null;
  readonly recovered_at: string | null;
  readonly recovery_time_seconds: number | null;
  /** By its own audit record: the first entry of each event and actor after the onset. */
  readonly safeguards_triggered: readonly {
    readonly event: string;
    readonly actor: string;
    readonly cause: string;
    readonly at: string | null;
  }[];
  /** What the system did by itself. */
  readonly playbooks_executed: readonly string[];
  readonly doses: readonly { readonly what: string; readonly measured: number; readonly target: number; readonly unit: string }[];
  readonly control_plane_dumps: number;
  readonly resource_samples: number;
  readonly consistency: { readonly passed: number; readonly failed: number };
  readonly checks: readonly { readonly id: string; readonly name: string; readonly passed: boolean; readonly evidence: string }[];
  readonly score: number;
  readonly success: boolean;
  readonly failure_reason: string | null;
  readonly artifacts_dir: string;
}

export interface IncidentPlace {
  readonly folder: string;
  /** How many of them lie in that folder. */
  readonly dumps: number;
  readonly samples: number;
}

export function incidentOf(played: Played, { folder, dumps, samples }: IncidentPlace): Incident {
  const { scenario, summary, bus, recording, facts, judgement } = played;
  const { onsetMs } = recording;
  const checks = [...facts.mustFire, ...facts.mustNotFire];
  const detectionMs = facts.detection?.seenMs ?? facts.activation?.activatedMs;
  const detectedMs = detectionMs === undefined || onsetMs === undefined ? undefined : onsetMs + detectionMs;
  const injectedAt = isoAt(recording, onsetMs);
  const { recoveredMs } = facts.recovery;
  return {
    incident_id: `${scenario}-${Math.round(recording.startedMs + recording.wallOffsetMs)}`,
    scenario,
    summary,
    bus,
    started_at: isoAt(recording, recording.startedMs),
    faults_injected_at: injectedAt === null ? {} : { [scenario]: injectedAt },
    fault_ended_at: isoAt(recording, recording.endedMs),
    detected_at: isoAt(recording, detectedMs),
    detection_ms: detectionMs ?? null,
    recovered_at: isoAt(recording, recording.recoveredAtMs),
    recovery_time_seconds: recoveredMs === undefined ? null : recoveredMs / 1_000,
    safeguards_triggered: safeguardsOf(played),
    playbooks_executed: playbooksOf(played),
    doses: facts.doses,
    control_plane_dumps: dumps,
    resource_samples: samples,
    consistency: { passed: checks.filter(({ passed }) => passed).length, failed: checks.filter(({ passed }) => !passed).length },
    checks: checks.map(({ id, name, passed, evidence }) => ({ id, name, passed, evidence })),
    score: judgement.score,
    success: judgement.verdict === 'passed',
    failure_reason: judgement.verdict === 'passed' ? null : (firstFailures(played)[0]?.text ?? judgement.verdict),
    artifacts_dir: folder,
  };
}

function safeguardsOf({ recording }: Played): Incident['safeguards_triggered'] {
  const seen = new Set<string>();
  return recording.audit.flatMap(({ event, actor, cause, atMs }) => {
    const key = `${event} ${actor}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ event, actor, cause, at: isoAt(recording, atMs) }];
  });
}

/** Told by the record of who did it: an exit that closed, a lease that was given up. */
function playbooksOf({ recording }: Played): readonly string[] {
  const areas = new Set(recording.audit.map(({ event }) => event.split('.')[0] ?? event));
  const playbooks = [areas.has('exit') ? 'emergency_exit' : '', areas.has('lease') ? 'lease_suspended' : ''];
  return playbooks.filter((name) => name !== '');
}
