/** Exit workers that lack one safeguard. */
import { type Clock, systemClock } from '../../clock.js';
import { intactExitParts } from '../../emergencyExit/executor.js';
import { judgePanic } from '../../emergencyExit/intake.js';
import { intactWorkerParts, type WorkerParts } from '../../emergencyExit/workerContext.js';
import { assembleExitWorker } from '../../emergencyExit/workerRun.js';
import type { ExitWorkerSeams } from '../../roles/exitWorkerRole.js';
import { untilAborted } from '../../roles/role.js';
import { brokenExits } from './brokenExits.js';

type CreateWorker = NonNullable<ExitWorkerSeams['create']>;

/** Ages of a minute and the like are divided by `scale`. Made anew for each run: some of them count. */
export function brokenDuties(scale: number, clock: Pick<Clock, 'sleep'>): Readonly<Record<string, Partial<WorkerParts>>> {
  let panics = 0;
  return {
    /** Beats, so that trading can be armed, and never closes anything. */
    'no-worker': {
      runExit: async (run) => {
        await untilAborted(run.signal);
        return 'stopped';
      },
    },
    /** Closes first and halts when it has time. */
    'halt-last': {
      atOnce: () => {},
      inOrder: (raiseHalt, close) => {
        void clock.sleep(5_000 / scale).then(raiseHalt);
        return close();
      },
      // Waiting for holders to drain would wait for the halt as well.
      exit: { ...intactExitParts, plan: (view) => intactExitParts.plan({ ...view, closingAllowed: true }) },
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
      judgePanic: (view) => (view.wallMs - view.panic.wallMs > 60_000 / scale ? { kind: 'other_account' } : judgePanic(view)),
    },
  };
}

/** Ages of a minute and the like are divided by `scale`. */
export function brokenWorkers(scale: number): Readonly<Record<string, CreateWorker>> {
  const exits = Object.entries(brokenExits).map(([name, exit]): [string, Partial<WorkerParts>] => [name, { exit }]);
  return Object.fromEntries(
    [...exits, ...Object.entries(brokenDuties(scale, systemClock))].map(([name, broken]): [string, CreateWorker] => [
      name,
      (options) => assembleExitWorker(options, { ...intactWorkerParts, ...broken }),
    ]),
  );
}
