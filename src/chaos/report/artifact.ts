/** The JSON artifact of a campaign: every field computed from what was played, `null` where nothing was. */
import { quantile } from '../../drill/quantile.js';
import type { Played, ScenarioResult } from '../run/runScenario.js';
import { SCENARIO_NAMES } from '../run/scenarios/catalogue.js';

export interface ChaosArtifact {
  readonly component: 'chaos_resilience_validation';
  /** ISO 8601 in UTC. */
  readonly validation_timestamp: string;
  readonly chaos_scenarios: {
    readonly scenarios_executed: number;
    readonly scenarios_not_run: number;
    readonly guardian_crash_validated: boolean;
    readonly network_partition_validated: boolean;
    readonly memory_corruption_validated: boolean;
    readonly infrastructure_faults_validated: boolean;
  };
  readonly fail_closed_behavior: {
    /** The slowest; `null`: none was seen. */
    readonly activation_time_ms: number | null;
    readonly triggers_validated: number;
    readonly behavior_correct: boolean;
  };
  readonly recovery_validation: {
    readonly recovery_time_p95_ms: number | null;
    /** Of those that were played; `null`: none was. */
    readonly success_rate: number | null;
    readonly slo_compliance: boolean;
  };
  readonly resilience_metrics: {
    readonly overall_score: number | null;
    readonly chaos_tolerance: 'excellent' | 'good' | 'insufficient' | 'unknown';
    /** Only where every scenario there is was played and passed. */
    readonly production_ready: boolean;
  };
}

/** Faults of the machine underneath. All of them, or it is not validated. */
const INFRASTRUCTURE = ['cpu_exhaustion', 'disk_full', 'clock_skew', 'dns_failure', 'database_timeout'];
const EXCELLENT = 95;
const GOOD = 80;

export function artifactOf(results: readonly ScenarioResult[], wallMs: number): ChaosArtifact {
  const played = results.filter((result): result is Played => result.ran);
  const isPassed = ({ judgement }: Played) => judgement.verdict === 'passed';
  const validated = (...names: readonly string[]) => names.every((name) => played.some((one) => one.scenario === name && isPassed(one)));
  const activations = played.flatMap(({ facts }) => (facts.activation?.activatedMs === undefined ? [] : [facts.activation.activatedMs]));
  const recoveries = played.flatMap(({ facts }) => (facts.recovery.recoveredMs === undefined ? [] : [facts.recovery.recoveredMs]));
  const met = (name: string) => played.filter(({ judgement }) => judgement.objectives.some((one) => one.name === name && one.met));
  const scores = played.map(({ judgement }) => judgement.score);
  const overall = scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
  // Whoever saw a part of it has not seen enough.
  const isWhole = played.length === results.length && played.every(isPassed) && validated(...SCENARIO_NAMES);
  return {
    component: 'chaos_resilience_validation',
    validation_timestamp: new Date(wallMs).toISOString(),
    chaos_scenarios: {
      scenarios_executed: played.length,
      scenarios_not_run: results.length - played.length,
      guardian_crash_validated: validated('guardian_process_crash'),
      network_partition_validated: validated('network_partition'),
      memory_corruption_validated: validated('memory_corruption'),
      infrastructure_faults_validated: validated(...INFRASTRUCTURE),
    },
    fail_closed_behavior: {
      activation_time_ms: activations.length === 0 ? null : Math.round(Math.max(...activations)),
      triggers_validated: met('fail_closed').length,
      behavior_correct: played.length > 0 && met('fail_closed').length === played.length,
    },
    recovery_validation: {
      recovery_time_p95_ms: recoveries.length === 0 ? null : Math.round(quantile(recoveries, 0.95)),
      success_rate: played.length === 0 ? null : met('recovery').length / played.length,
      slo_compliance: played.length > 0 && met('recovery').length === played.length,
    },
    resilience_metrics: {
      overall_score: overall,
      chaos_tolerance: overall === null ? 'unknown' : overall >= EXCELLENT ? 'excellent' : overall >= GOOD ? 'good' : 'insufficient',
      production_ready: isWhole,
    },
  };
}
