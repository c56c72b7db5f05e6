/** Puts several runs into one: timings side by side, of everything else the worst. */
import type { Check } from './judge/evidence.js';
import type { RunResult } from './run.js';

const STATES = ['HALTED', 'REDUCING', 'ACTIVE', 'unknown'];

function worseState(a: string, b: string): string {
  return STATES.indexOf(a) >= STATES.indexOf(b) ? a : b;
}

/** Red on evidence is worse than a check that lacks it, and both are worse than green. */
function isWorse(a: Check, b: Check): boolean {
  const rank = ({ passed, missing }: Check) => (passed ? 0 : missing ? 1 : 2);
  return rank(a) > rank(b);
}

function worst(a: RunResult, b: RunResult): RunResult {
  const checks = a.checks.map((check) => {
    const other = b.checks.find((candidate) => candidate.id === check.id);
    if (other === undefined) return check;
    return { ...(isWorse(other, check) ? other : check), figures: [...check.figures, ...other.figures] };
  });
  return {
    scenario: a.scenario,
    summary: a.summary,
    verdict: a.verdict === 'pass' ? b.verdict : a.verdict,
    bus: b.bus,
    checks,
    timings: {
      killToPanicMs: [...a.timings.killToPanicMs, ...b.timings.killToPanicMs],
      panicToBookEmptyMs: [...a.timings.panicToBookEmptyMs, ...b.timings.panicToBookEmptyMs],
      panicToFlatVerifiedMs: [...a.timings.panicToFlatVerifiedMs, ...b.timings.panicToFlatVerifiedMs],
      killToFlatVerifiedMs: [...a.timings.killToFlatVerifiedMs, ...b.timings.killToFlatVerifiedMs],
    },
    positionsAtKill: Math.min(a.positionsAtKill, b.positionsAtKill),
    positionsAfter: Math.max(a.positionsAfter, b.positionsAfter),
    openOrdersAfter: Math.max(a.openOrdersAfter, b.openOrdersAfter),
    tradingState: worseState(a.tradingState, b.tradingState),
    flatVerdict: a.flatVerdict === 'flat' ? b.flatVerdict : a.flatVerdict,
    panics: Math.max(a.panics, b.panics),
    incidents: Math.max(a.incidents, b.incidents),
    ordersAttemptedAfterHalt: Math.min(a.ordersAttemptedAfterHalt, b.ordersAttemptedAfterHalt),
    ordersAfterHalt: Math.max(a.ordersAfterHalt, b.ordersAfterHalt),
    exposureIncreasedByExit: Math.max(a.exposureIncreasedByExit, b.exposureIncreasedByExit),
    closedTwice: Math.max(a.closedTwice, b.closedTwice),
  };
}

export function mergeRuns(first: RunResult, others: readonly RunResult[]): RunResult {
  return others.reduce(worst, first);
}
