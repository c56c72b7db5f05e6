/** Exits that lack one safeguard at the venue. */
import { intactSettlement } from '../../emergencyExit/closeSteps.js';
import { type ExitParts, intactExitParts as exit } from '../../emergencyExit/executor.js';
import { type Leg, withReport } from '../../emergencyExit/legs.js';
import type { ExitView } from '../../emergencyExit/plan.js';
import { judgeExit, type VerdictView } from '../../emergencyExit/verdict.js';

/** Every attempt without an answer counts as never sent. */
function withoutDoubt(view: ExitView): ExitView {
  return { ...view, legs: new Map([...view.legs].map(([key, leg]) => [key, forgetUnknown(leg, view.nowMs)] as const)) };
}

function forgetUnknown(leg: Leg, nowMs: number): Leg {
  if (leg.last?.fate.kind !== 'unknown') return leg;
  const { expectedQuantity: _expected, disagreement: _disagreement, ...rest } = leg;
  return {
    ...rest,
    movedMs: -Infinity,
    last: { ...leg.last, fate: { kind: 'terminal', status: 'expired', filledQuantity: 0, atMs: nowMs } },
  };
}

/** Once every leg has been sent a close, the book is taken for empty without a look. */
function judgeUnseen(view: VerdictView): ReturnType<typeof judgeExit> {
  const legs = [...view.legs.values()];
  const allSent = legs.length > 0 && legs.every((leg) => leg.last?.fate.kind === 'terminal');
  if (!allSent || view.book === undefined || view.drain.horizonMs === undefined) return judgeExit(view);
  const fromMs = view.drain.horizonMs + view.capabilities.readLagMs;
  return judgeExit({
    ...view,
    book: { ...view.book, positions: [], orders: [] },
    quietReadsMs: [fromMs, fromMs + view.confirmGapMs + 1_000],
    drainedSinceMs: view.drain.horizonMs,
  });
}

export const brokenExits: Readonly<Record<string, ExitParts>> = {
  /** A reading that failed counts as a book with nothing in it. */
  'read-error-as-zero': {
    ...exit,
    readBook: async (broker, clock, timeoutMs, between) => {
      const sentMs = clock.monotonicMs();
      const reading = await exit.readBook(broker, clock, timeoutMs, between);
      const receivedMs = clock.monotonicMs();
      return reading.ok ? reading : { ok: true, book: { positions: [], orders: [], sentMs, positionsSentMs: sentMs, receivedMs } };
    },
  },
  /** Never looks at working orders. */
  'no-cancel': {
    ...exit,
    readOrders: () => Promise.resolve([]),
    readBook: async (broker, clock, timeoutMs, between) => {
      const reading = await exit.readBook(broker, clock, timeoutMs, between);
      return reading.ok ? { ok: true, book: { ...reading.book, orders: [] } } : reading;
    },
  },
  /** An order that the venue took counts as filled, and what is counted as filled is not looked at again. */
  'accepted-is-closed': {
    ...exit,
    settlement: {
      ...intactSettlement,
      reported: (leg, report, nowMs, nextQueryMs) =>
        withReport(leg, { ...report, status: 'filled', filledQuantity: leg.last?.quantity ?? 0 }, nowMs, nextQueryMs),
    },
    plan: (view) => exit.plan(view).filter((step) => step.do !== 'close' || step.leg.last === undefined),
    judge: judgeUnseen,
  },
  /** No answer counts as "not sent", and the close is sent again as a new order. */
  'retry-blindly': { ...exit, plan: (view) => exit.plan(withoutDoubt(view)) },
};
