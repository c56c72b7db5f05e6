/** Exit workers that lack one safeguard. */
import { systemClock } from '../../clock.js';
import { intactSettlement } from '../../emergencyExit/closeSteps.js';
import { intactExitParts } from '../../emergencyExit/executor.js';
import { judgePanic } from '../../emergencyExit/intake.js';
import { withReport } from '../../emergencyExit/legs.js';
import { judgeExit } from '../../emergencyExit/verdict.js';
import { assembleExitWorker } from '../../emergencyExit/worker.js';
import { intactWorkerParts, type WorkerParts } from '../../emergencyExit/workerContext.js';
import type { ExitWorkerSeams } from '../../roles/exitWorkerRole.js';
import { untilAborted } from '../../roles/role.js';

type CreateWorker = NonNullable<ExitWorkerSeams['create']>;

const exit = intactExitParts;

function variants(scale: number): Readonly<Record<string, Partial<WorkerParts>>> {
  let panics = 0;
  return {
    /** Beats, so that trading can be armed, and never closes anything. */
    'no-worker': {
      runExit: async (run) => {
        await untilAborted(run.signal);
        return 'stopped';
      },
    },
    /** A reading that failed counts as a book with nothing in it. */
    'read-error-as-zero': {
      exit: {
        ...exit,
        readBook: async (broker, clock, timeoutMs) => {
          const sentMs = clock.monotonicMs();
          const reading = await exit.readBook(broker, clock, timeoutMs);
          return reading.ok ? reading : { ok: true, book: { positions: [], orders: [], sentMs, receivedMs: clock.monotonicMs() } };
        },
      },
    },
    /** Closes first and halts when it has time. */
    'halt-last': {
      inOrder: (raiseHalt, close) => {
        void systemClock.sleep(2_000 / scale).then(raiseHalt);
        return close();
      },
    },
    /** Never looks at working orders. */
    'no-cancel': {
      exit: {
        ...exit,
        readBook: async (broker, clock, timeoutMs) => {
          const reading = await exit.readBook(broker, clock, timeoutMs);
          return reading.ok ? { ok: true, book: { ...reading.book, orders: [] } } : reading;
        },
      },
    },
    /** An order that the venue took counts as filled, and what is counted as filled is not looked at again. */
    'accepted-is-closed': {
      exit: {
        ...exit,
        settlement: {
          ...intactSettlement,
          reported: (leg, report, nowMs, nextQueryMs) =>
            withReport(leg, { ...report, status: 'filled', filledQuantity: leg.last?.quantity ?? 0 }, nowMs, nextQueryMs),
        },
        judge: (view) => {
          const legs = [...view.legs.values()];
          const allSent = legs.length > 0 && legs.every((leg) => leg.last?.fate.kind === 'terminal');
          const nothing = view.book === undefined ? undefined : { ...view.book, positions: [], orders: [] };
          const readsMs = allSent ? [view.nowMs - 1_000, view.nowMs] : view.quietReadsMs;
          return judgeExit({ ...view, book: allSent ? nothing : view.book, quietReadsMs: readsMs });
        },
        plan: (view) => exit.plan(view).filter((step) => step.do !== 'close' || step.leg.last === undefined),
      },
    },
    /** Acknowledges a panic when it arrives. */
    'ack-before-done': {
      received: async (delivery) => {
        await delivery.ack();
      },
    },
    /** Each delivery is an incident of its own. */
    'no-dedupe': {
      judgePanic: (view) => {
        const decision = judgePanic(view);
        return decision.kind === 'execute' ? { ...decision, incident: `${decision.incident}#${++panics}` } : decision;
      },
    },
    /** A panic older than a minute is thrown away. */
    'drop-old-panic': {
      judgePanic: (view) => {
        const tooOld = view.wallMs - view.panic.wallMs > 60_000 / scale;
        return tooOld ? { kind: 'other_account' } : judgePanic(view);
      },
    },
    /** No answer counts as "not sent", and the close is sent again as a new order. */
    'retry-blindly': {
      exit: { ...exit, settlement: { ...intactSettlement, unresolved: () => 'give_up' }, plan: (view) => exit.plan(withoutDoubt(view)) },
    },
  };
}

type View = Parameters<typeof exit.plan>[0];

function withoutDoubt(view: View): View {
  const legs = new Map([...view.legs].map(([key, leg]) => [key, forgetUnknown(leg, view.nowMs)] as const));
  return { ...view, legs };
}

function forgetUnknown(leg: View['legs'] extends ReadonlyMap<infer _Key, infer Leg> ? Leg : never, nowMs: number) {
  if (leg.last?.fate.kind !== 'unknown') return leg;
  const { expectedQuantity: _expected, disagreement: _disagreement, ...rest } = leg;
  return {
    ...rest,
    movedMs: -Infinity,
    last: { ...leg.last, fate: { kind: 'terminal', status: 'expired', filledQuantity: 0, atMs: nowMs } as const },
  };
}

export function brokenWorkers(scale: number): Readonly<Record<string, CreateWorker>> {
  return Object.fromEntries(
    Object.entries(variants(scale)).map(([name, broken]): [string, CreateWorker] => [
      name,
      (options) => assembleExitWorker(options, { ...intactWorkerParts, ...broken }),
    ]),
  );
}
