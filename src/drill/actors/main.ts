/** Entry of a process of the drill that is not a shipped command: the strategy, or a role in a broken or burdened variant. */
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { EXIT_CODES, setExitCode } from '../../process/exit.js';
import { createLog } from '../../process/log.js';
import { systemOutput } from '../../process/output.js';
import { untilSignal } from '../../process/untilSignal.js';
import { type ExitBrainRoleConfig, runExitBrainRole } from '../../roles/exitBrainRole.js';
import { type ExitWorkerRoleConfig, runExitWorkerRole } from '../../roles/exitWorkerRole.js';
import { runWatchdogRole, type WatchdogRoleConfig } from '../../roles/watchdogRole.js';
import type { ActorOrder } from './order.js';
import { brainSeams, strategySeams, watchdogSeams, workerSeams } from './seams.js';
import { runStrategy, type StrategyConfig } from './strategy.js';

interface Part {
  readonly order: ActorOrder;
  readonly config: unknown;
}

async function play({ order, config }: Part): Promise<void> {
  const output = systemOutput('1');
  const logger = await createLog({ level: 'info', name: order.role });
  const watch = untilSignal(systemClock);
  const onReady = (ready: object) => output.out(JSON.stringify(ready));
  const deps = { signal: watch.signal, clock: systemClock, logger, onReady };
  // The conductor of the same release wrote this line: its shape is its own.
  if (order.role === 'strategy')
    await runStrategy(config as StrategyConfig, watch.signal, () => onReady({ ready: 'strategy' }), strategySeams(order));
  else if (order.role === 'watchdog') await runWatchdogRole(config as WatchdogRoleConfig, { ...deps, seams: watchdogSeams(order) });
  else if (order.role === 'exit-worker') await runExitWorkerRole(config as ExitWorkerRoleConfig, { ...deps, seams: workerSeams(order) });
  else await runExitBrainRole(config as ExitBrainRoleConfig, { ...deps, seams: brainSeams(order) });
}

const part: Part = JSON.parse(process.argv[2] ?? '{}');
play(part).then(
  () => setExitCode(EXIT_CODES.ok),
  (error: unknown) => {
    systemOutput('1').err(messageOf(error));
    setExitCode(EXIT_CODES.couldNotRun);
  },
);
