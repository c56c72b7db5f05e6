/** One run of the drill, from the first process to the verdict. */
import { bookAt, emptySinceMs } from '../rig/books.js';
import type { ActorRole, Variant } from './actors/order.js';
import type { DrillBars } from './bars.js';
import { ACCOUNT } from './cast.js';
import { Conductor, type ConductorOptions } from './conductor.js';
import { type Check, type Evidence, firstFlat, firstPanic } from './judge/evidence.js';
import { closedTwice, exposureIncreased } from './judge/exitChecks.js';
import { attemptsAfterHalt, ordersAfterHalt } from './judge/stopChecks.js';
import type { DrillOptions, Fault } from './options.js';
import { type Sabotage, sabotageNamed } from './sabotage/catalogue.js';
import { FAULT_SCENARIOS } from './scenarios/faults.js';
import { KILL_SCENARIOS, noFault } from './scenarios/kills.js';
import { PARTITION_SCENARIOS } from './scenarios/partitions.js';
import type { Scenario } from './scenarios/scenario.js';

export interface DrillTimings {
  readonly killToPanicMs: readonly number[];
  readonly panicToBookEmptyMs: readonly number[];
  readonly panicToFlatVerifiedMs: readonly number[];
  readonly killToFlatVerifiedMs: readonly number[];
}

export interface RunResult {
  readonly scenario: string;
  readonly summary: string;
  readonly verdict: 'pass' | 'fail';
  readonly bus: string;
  /** `related`: nothing was seen against it, its evidence never came; as programs that read the document know `missing`. */
  readonly checks: readonly (Check & { readonly related: boolean })[];
  readonly timings: DrillTimings;
  readonly positionsAtKill: number;
  readonly positionsAfter: number;
  readonly openOrdersAfter: number;
  readonly tradingState: string;
  readonly flatVerdict: string;
  readonly panics: number;
  readonly incidents: number;
  readonly ordersAttemptedAfterHalt: number;
  readonly ordersAfterHalt: number;
  readonly exposureIncreasedByExit: number;
  readonly closedTwice: number;
}

/** Faults that can only happen inside a process, and the role whose process carries them. */
const CARRIED_BY: Partial<Record<Fault, ActorRole>> = {
  'frozen-loop': 'exit-brain',
  'stale-decisions': 'exit-brain',
  'brain-degraded': 'exit-brain',
  'lost-panic': 'watchdog',
  'wall-step': 'watchdog',
  'stopped-watchdog': 'watchdog',
};

export function scenarioOf(options: DrillOptions): { readonly scenario: Scenario; readonly fault?: Fault; readonly sabotage?: Sabotage } {
  if (options.noFault) return { scenario: noFault };
  if (options.partition !== undefined) return { scenario: PARTITION_SCENARIOS[options.partition] };
  const sabotage = options.sabotage === undefined ? undefined : sabotageNamed(options.sabotage);
  const reveal = sabotage?.reveal ?? (options.fault === undefined ? { kill: options.kill } : { fault: options.fault });
  const chosen =
    'kill' in reveal ? { scenario: KILL_SCENARIOS[reveal.kill] } : { scenario: FAULT_SCENARIOS[reveal.fault], fault: reveal.fault };
  return { ...chosen, ...(sabotage === undefined ? {} : { sabotage }) };
}

function variantsOf(fault: Fault | undefined, sabotage: Sabotage | undefined): Map<ActorRole, Variant> {
  const variants = new Map<ActorRole, Variant>();
  const carrier = fault === undefined ? undefined : CARRIED_BY[fault];
  if (fault !== undefined && carrier !== undefined) variants.set(carrier, { fault });
  if (sabotage !== undefined) variants.set(sabotage.role, { ...variants.get(sabotage.role), sabotage: sabotage.name });
  return variants;
}

/** Throws RigError where the rig itself fails: that is neither a pass nor a catch. */
export async function runDrill(
  options: DrillOptions,
  bars: DrillBars,
  context: Pick<ConductorOptions, 'onEvent' | 'onLog' | 'signal' | 'random'>,
): Promise<RunResult> {
  const { scenario, fault, sabotage } = scenarioOf(options);
  const conductor = await Conductor.open({ drill: options, bars, variants: variantsOf(fault, sabotage), ...context });
  try {
    await scenario.run(conductor);
    const evidence = await conductor.evidence({ detectionMs: scenario.detectionMs(conductor.timings) });
    return judge(scenario, evidence, conductor.cast.bus.url);
  } finally {
    await conductor.close();
  }
}

function judge(scenario: Scenario, evidence: Evidence, bus: string): RunResult {
  const checks = scenario.checks.map((judgeOne) => judgeOne(evidence)).map((check) => ({ ...check, related: check.missing }));
  const atFault = evidence.marks.faultMs ?? evidence.marks.panicGivenMs ?? evidence.marks.endMs;
  const after = bookAt(evidence.events, ACCOUNT);
  const { completions, escalations, panics, states } = evidence.bus;
  const said = [...completions, ...escalations].sort((a, b) => a.atMs - b.atMs).map((seen) => seen.value.verdict);
  return {
    scenario: scenario.name,
    summary: scenario.summary,
    verdict: checks.length > 0 && checks.every((check) => check.passed) ? 'pass' : 'fail',
    bus,
    checks,
    timings: timingsOf(evidence),
    positionsAtKill: bookAt(evidence.events, ACCOUNT, atFault).positions.size,
    positionsAfter: after.positions.size,
    openOrdersAfter: after.openOrders.size,
    tradingState: states.at(-1)?.value.mode ?? 'unknown',
    flatVerdict: said.includes('flat') ? 'flat' : (said.at(-1) ?? 'none'),
    panics: new Set(panics.map((panic) => panic.value.eventId)).size,
    incidents: new Set(completions.map((seen) => seen.value.incident)).size,
    ordersAttemptedAfterHalt: attemptsAfterHalt(evidence),
    ordersAfterHalt: ordersAfterHalt(evidence),
    exposureIncreasedByExit: exposureIncreased(evidence),
    closedTwice: closedTwice(evidence),
  };
}

function timingsOf(evidence: Evidence): DrillTimings {
  const panic = firstPanic(evidence);
  const flat = firstFlat(evidence);
  const { faultMs } = evidence.marks;
  const emptyMs = panic === undefined ? undefined : emptySinceMs(evidence.events, ACCOUNT, panic.atMs);
  const between = (fromMs: number | undefined, untilMs: number | undefined) =>
    fromMs === undefined || untilMs === undefined ? [] : [untilMs - fromMs];
  return {
    killToPanicMs: between(faultMs, panic?.atMs),
    panicToBookEmptyMs: between(panic?.atMs, emptyMs),
    panicToFlatVerifiedMs: between(panic?.atMs, flat?.atMs),
    killToFlatVerifiedMs: between(faultMs, flat?.atMs),
  };
}
