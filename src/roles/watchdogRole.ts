/** Runs a watchdog as a process of its own. */
import { checkName } from '../checks.js';
import { hostIdentity } from '../host.js';
import { WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';
import type { WatchdogOptions } from '../watchdog/options.js';
import { createWatchdog } from '../watchdog/watchdog.js';
import { type AlertConfig, alertSink } from './alerts.js';
import { defaultId, runUnderName } from './identity.js';
import { prepareMemoryFile } from './memoryFile.js';
import { type BusSeams, type RoleDeps, withBus } from './role.js';
import { scaledTimings } from './scale.js';

export interface WatchdogRoleConfig {
  readonly bus: string;
  /** Tells several watchdogs apart. Default: one for each host. */
  readonly id?: string;
  /** Thresholds that differ from the (scaled) defaults. */
  readonly rules?: WatchdogOptions['rules'];
  /** Default: in the journal's directory. */
  readonly memoryFile?: string;
  readonly alert?: AlertConfig;
  /** Default 1. */
  readonly scale?: number;
}

export interface WatchdogSeams extends BusSeams {
  readonly create?: (options: WatchdogOptions) => { run(signal: AbortSignal): Promise<void> };
}

/** Runs until the signal aborts. Throws ConfigurationError or BusUnsuitableError where it cannot begin. */
export async function runWatchdogRole(config: WatchdogRoleConfig, deps: RoleDeps<WatchdogSeams>): Promise<void> {
  const { signal, clock, logger, random, seams } = deps;
  const { watchdog: timings } = scaledTimings(config.scale);
  const id = checkName('id', config.id ?? defaultId('watchdog'));
  const alert = alertSink(config.alert, clock, logger);
  await withBus(config.bus, deps, async (bus) => {
    const memoryFile = await prepareMemoryFile(config.memoryFile, config.bus, id, logger);
    const create = seams?.create ?? createWatchdog;
    const watchdog = create({
      ...timings,
      rules: { ...timings.rules, ...config.rules },
      bus,
      watchdogId: id,
      clock: seams?.clock ?? clock,
      logger,
      ...(random === undefined ? {} : { random }),
      ...(memoryFile === undefined ? {} : { memoryFile }),
      ...(alert === undefined ? {} : { alert }),
    });
    await runUnderName(
      bus,
      { stream: WATCHDOG_HEARTBEAT, id, clock, logger, beatMs: timings.peerBeatMs },
      () => watchdog.run(signal),
      () => deps.onReady?.({ ready: 'watchdog', id, pid: hostIdentity().pid, bus: bus.url }),
    );
  });
}
