/** Computes the facts of a scenario from its evidence: plain functions, so that what is reported is what was seen. */
import type { Check, Evidence } from '../../drill/judge/evidence.js';
import type { ScaledTimings } from '../../roles/scale.js';
import type { Activation, Detection, Dose, OrderFacts, ScenarioFacts } from './facts.js';
import { healthOf } from './health.js';
import { acceptedAtMs, type Flow, flowIn, type Span } from './orderFlow.js';
import type { ChaosScenario } from './scenario.js';

export interface Seen {
  readonly onsetMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly recoveredMs: number | undefined;
  readonly doses: readonly Dose[];
  readonly detection: Detection | undefined;
  readonly checks: readonly Check[];
}

/** The record of the last moments of a span may still be on its way when it ends. */
const UNDER_WAY_MS = 500;

/** Spans in which trading was allowed: from the arming to the stop that was due, and from the recovery on where trading returned. */
export function allowedSpans(scenario: Pick<ChaosScenario, 'panicDue'>, seen: Seen, evidence: Evidence): readonly Span[] {
  const { armedMs, endMs } = evidence.marks;
  const lastMs = endMs - UNDER_WAY_MS;
  const { onsetMs, endedMs, recoveredMs } = seen;
  if (onsetMs === undefined) return [{ fromMs: armedMs, untilMs: lastMs }];
  const before = { fromMs: armedMs, untilMs: onsetMs };
  // After a panic nothing may be admitted until a person arms again.
  if (scenario.panicDue || endedMs === undefined || recoveredMs === undefined) return [before];
  return [before, { fromMs: endedMs + recoveredMs, untilMs: lastMs }];
}

/** Before its first order the strategy has none to send: the span begins with it. */
function ordersIn(spans: readonly Span[], evidence: Evidence): OrderFacts {
  const accepted = acceptedAtMs(evidence.events);
  const attempts = evidence.attempts.map(({ value }) => value);
  const firstMs = attempts.find(({ result }) => result === 'admitted')?.atMs ?? Infinity;
  const flows = spans.map(({ fromMs, untilMs }) => flowIn({ fromMs: Math.max(fromMs, firstMs), untilMs }, attempts, accepted));
  const latencies = flows.flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs]));
  const total = (count: (flow: Flow) => number) => flows.reduce((sum, flow) => sum + count(flow), 0);
  return {
    shouldHaveBeenAdmitted: total(({ attempts: made }) => made),
    failed: total(({ refused, lost }) => refused + lost),
    latencyMs: latencies.length === 0 ? undefined : Math.max(...latencies),
  };
}

/** Where something else came first, like a quiet time, the promise counts from the death behind it. */
function activationOf(
  { failClosed }: ChaosScenario,
  onsetMs: number | undefined,
  evidence: Evidence,
  timings: ScaledTimings,
): Activation | undefined {
  if (failClosed === undefined) return undefined;
  const { promise, boundMs, activatedAtMs } = failClosed;
  const fromMs = evidence.marks.faultMs ?? onsetMs;
  const atMs = activatedAtMs(evidence);
  const isSeen = fromMs !== undefined && atMs !== undefined;
  return {
    promise,
    boundMs: boundMs(timings),
    stallMs: isSeen ? evidence.stallMs(fromMs, atMs) : 0,
    activatedMs: isSeen ? Math.max(0, atMs - fromMs) : undefined,
  };
}

export function factsOf(scenario: ChaosScenario, seen: Seen, evidence: Evidence, timings: ScaledTimings): ScenarioFacts {
  const { onsetMs, endedMs, recoveredMs, doses, detection, checks } = seen;
  const accepted = acceptedAtMs(evidence.events);
  const attempts = evidence.attempts.map(({ value }) => value);
  const health = (fromMs: number, untilMs: number) => healthOf(flowIn({ fromMs, untilMs }, attempts, accepted));
  const { armedMs, endMs } = evidence.marks;
  return {
    onsetMs,
    doses,
    detection,
    activation: activationOf(scenario, onsetMs, evidence, timings),
    recovery: {
      promised: scenario.panicDue ? 'flat, HALTED, and everyone beats' : 'orders are admitted and taken again, and everyone beats',
      recoveredMs,
      ...(scenario.recoverWithinMs === undefined ? {} : { withinMs: scenario.recoverWithinMs }),
    },
    orders: ordersIn(allowedSpans(scenario, seen, evidence), evidence),
    mustFire: scenario.mustFire.map((judge) => judge(evidence)),
    mustNotFire: [...scenario.mustNotFire.map((judge) => judge(evidence)), ...checks],
    health: {
      before: health(armedMs, onsetMs ?? endMs),
      during: health(onsetMs ?? endMs, endedMs ?? endMs),
      after: health(endedMs ?? endMs, endMs - UNDER_WAY_MS),
    },
  };
}
