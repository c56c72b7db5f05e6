/** Entry of a process of the drill that is not a shipped command: the strategy, or a role in a broken or burdened variant. */
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { EXIT_CODES, setExitCode } from '../../process/exit.js';
import { createLog } from '../../process/log.js';
import { systemOutput } from '../../process/output.js';
import { untilSignal } from '../../process/untilSignal.js';
import { RigError } from '../../rig/child.js';
import { type ExitBrainRoleConfig, runExitBrainRole } from '../../roles/exitBrainRole.js';
import { type ExitWorkerRoleConfig, runExitWorkerRole } from '../../roles/exitWorkerRole.js';
import { runWatchdogRole, type WatchdogRoleConfig } from '../../roles/watchdogRole.js';
import { blocksLoop } from './faults.js';
import type { ActorOrder, ActorRole } from './order.js';
import { brainSeams, strategySeams, watchdogSeams, workerSeams } from './seams.js';
import { runStrategy, type StrategyConfig } from './strategy.js';

type PartOf<R extends ActorRole, C> = { readonly role: R; readonly order: ActorOrder; readonly config: C };

type Part =
  | PartOf<'strategy', StrategyConfig>
  | PartOf<'watchdog', WatchdogRoleConfig>
  | PartOf<'exit-worker', ExitWorkerRoleConfig>
  | PartOf<'exit-brain', ExitBrainRoleConfig>;

const ROLES: ReadonlySet<unknown> = new Set<ActorRole>(['strategy', 'exit-brain', 'watchdog', 'exit-worker']);

/** The conductor of the same release wrote it: the insides of order and config are its own. */
function isPart(value: unknown): value is Part {
  if (typeof value !== 'object' || value === null || !('role' in value && 'order' in value && 'config' in value)) return false;
  return ROLES.has(value.role) && typeof value.order === 'object' && typeof value.config === 'object';
}

function partFrom(text: string | undefined): Part {
  const value: unknown = JSON.parse(text ?? '{}');
  if (!isPart(value)) throw new RigError('a process of the drill was started without its part');
  return value;
}

async function play(part: Part): Promise<void> {
  const { order } = part;
  if (order.fault === 'blocked-loop') blocksLoop(order.triggerFile);
  const output = systemOutput('1');
  const logger = await createLog({ level: 'info', name: part.role });
  const watch = untilSignal(systemClock);
  const onReady = (ready: object) => output.out(JSON.stringify(ready));
  const deps = { signal: watch.signal, clock: systemClock, logger, onReady };
  if (part.role === 'strategy') await runStrategy(part.config, watch.signal, () => onReady({ ready: 'strategy' }), strategySeams(order));
  else if (part.role === 'watchdog') await runWatchdogRole(part.config, { ...deps, seams: watchdogSeams(order) });
  else if (part.role === 'exit-worker') await runExitWorkerRole(part.config, { ...deps, seams: workerSeams(order) });
  else await runExitBrainRole(part.config, { ...deps, seams: brainSeams(order) });
}

play(partFrom(process.argv[2])).then(
  () => setExitCode(EXIT_CODES.ok),
  (error: unknown) => {
    systemOutput('1').err(messageOf(error));
    setExitCode(EXIT_CODES.couldNotRun);
  },
);
