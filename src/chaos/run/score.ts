/** Objectives, score and verdict of one scenario: plain functions of the facts. */
import type { Dose, ScenarioFacts } from './facts.js';

export const SLO = { errorRate: 0.05, latencyMs: 500, recoveryMs: 30_000 } as const;

const PENALTY = { failClosed: 30, noRecovery: 40, slowRecovery: 20, errorRate: 10 } as const;

export interface Objective {
  readonly name: 'error_rate' | 'latency' | 'recovery' | 'fail_closed';
  readonly met: boolean;
  /** What was measured, and its bound. */
  readonly evidence: string;
}

/** `inconclusive`: the fault was not seen, or there was too little of it to prove anything. */
export type ScenarioVerdict = 'passed' | 'failed' | 'inconclusive';

export interface Judgement {
  readonly verdict: ScenarioVerdict;
  /** From 0 to 100. */
  readonly score: number;
  readonly objectives: readonly Objective[];
  /** What to look at first. Empty where it passed. */
  readonly problems: readonly string[];
}

const isReached = ({ target, measured }: Dose): boolean => measured >= target;
const shownMs = (value: number | undefined): string => (value === undefined ? 'never' : `${Math.round(value)} ms`);

export function judgeScenario(facts: ScenarioFacts): Judgement {
  const objectives = objectivesOf(facts);
  const isMet = (name: Objective['name']) => objectives.some((objective) => objective.name === name && objective.met);
  const { recovery } = facts;
  const lost =
    (isMet('fail_closed') ? 0 : PENALTY.failClosed) +
    (recovery.recoveredMs === undefined ? PENALTY.noRecovery : 0) +
    (recovery.recoveredMs !== undefined && !isMet('recovery') ? PENALTY.slowRecovery : 0) +
    (isMet('error_rate') ? 0 : PENALTY.errorRate);
  const weak = weaknesses(facts);
  const unmet = objectives.filter(({ met }) => !met).map(({ name, evidence }) => `${name}: ${evidence}`);
  const score = 100 - lost;
  // A fault that was too weak acquits nobody; what went red under it went red all the same.
  const verdict = unmet.length > 0 && weak.length === 0 ? 'failed' : weak.length > 0 ? 'inconclusive' : 'passed';
  return { verdict, score, objectives, problems: [...weak, ...unmet] };
}

function weaknesses({ onsetMs, doses, orders, mustFire, mustNotFire }: ScenarioFacts): string[] {
  const weak: string[] = [];
  if (onsetMs === undefined) weak.push('the fault was not seen to begin');
  if (doses.length === 0) weak.push('no dose was measured');
  for (const dose of doses)
    if (!isReached(dose)) weak.push(`too little of it: ${dose.what} ${dose.measured} ${dose.unit}, ${dose.target} are needed`);
  if (orders.shouldHaveBeenAdmitted === 0) weak.push('no order was attempted while trading was allowed');
  if (mustFire.length + mustNotFire.length === 0) weak.push('no safeguard was asked for');
  return weak;
}

/** What the activation and the detection came to, in words, and whether both were in time. */
function closing({ activation, detection }: Pick<ScenarioFacts, 'activation' | 'detection'>): {
  readonly inTime: boolean;
  readonly said: string[];
} {
  const said: string[] = [];
  let inTime = true;
  if (activation !== undefined) {
    const { activatedMs, boundMs, stallMs, promise } = activation;
    inTime = activatedMs !== undefined && activatedMs <= boundMs + stallMs;
    said.push(`${promise} after ${shownMs(activatedMs)}, at most ${Math.round(boundMs)} ms (own stall ${Math.round(stallMs)} ms)`);
  } else said.push('nothing had to close');
  if (detection !== undefined) {
    const { seenMs, withinMs } = detection;
    inTime &&= seenMs !== undefined && seenMs <= withinMs;
    said.push(`detected after ${shownMs(seenMs)}, at most ${withinMs} ms`);
  }
  return { inTime, said };
}

function objectivesOf({ orders, recovery, activation, detection, mustFire, mustNotFire }: ScenarioFacts): readonly Objective[] {
  const errorRate = orders.shouldHaveBeenAdmitted === 0 ? 1 : orders.failed / orders.shouldHaveBeenAdmitted;
  const silent = mustFire.filter(({ passed }) => !passed);
  const wrong = mustNotFire.filter(({ passed }) => !passed);
  const { inTime, said } = closing({ activation, detection });
  const withinMs = recovery.withinMs ?? SLO.recoveryMs;
  const breaches = [...silent, ...wrong].map(({ id, evidence }) => `${id}: ${evidence}`);
  return [
    {
      name: 'error_rate',
      met: errorRate <= SLO.errorRate,
      evidence: `${orders.failed} of ${orders.shouldHaveBeenAdmitted} orders that should have been admitted, at most ${SLO.errorRate * 100} %`,
    },
    {
      name: 'latency',
      met: orders.latencyMs !== undefined && orders.latencyMs <= SLO.latencyMs,
      evidence: `95 % within ${shownMs(orders.latencyMs)}, at most ${SLO.latencyMs} ms`,
    },
    {
      name: 'recovery',
      met: recovery.recoveredMs !== undefined && recovery.recoveredMs <= withinMs,
      evidence: `${recovery.promised}: ${shownMs(recovery.recoveredMs)}, at most ${withinMs} ms`,
    },
    {
      name: 'fail_closed',
      met: inTime && breaches.length === 0,
      evidence: [...said, ...breaches].join('; '),
    },
  ];
}
