/** Announces planned work on one service: trading goes down to REDUCING, and its missing beats are expected for a while. */
import { type AppendOutcome, type Bus, BusUnavailableError, isCommitted } from '../bus/bus.js';
import { checkDurationMs, checkName, checkText } from '../checks.js';
import { systemClock } from '../clock.js';
import { encodeMaintenance, MAINTENANCE, MAINTENANCE_MAX_MS, type MaintenanceWindow } from '../messages/maintenance.js';
import type { TradingState } from '../messages/tradingState.js';
import { systemRandom } from '../random.js';
import { changeState } from './change.js';
import { recordWith } from './halt.js';
import type { StateDeps } from './options.js';
import { readTradingState } from './read.js';
import { fallBackToReducing } from './transitions.js';

export interface MaintenanceRequest {
  readonly serviceId: string;
  /** At most {@link MAINTENANCE_MAX_MS}. Watchdogs count it on their own clocks from when they first see it. */
  readonly durationMs: number;
  readonly by: string;
  readonly reason: string;
}

type MaintenanceBus = Pick<Bus, 'latch' | 'append'>;

const APPEND_ATTEMPTS = 5;

async function reduce(bus: MaintenanceBus, by: string, wallMs: number, deps: StateDeps): Promise<TradingState> {
  const set = await changeState(
    bus,
    ({ state }) => (state.mode === 'ACTIVE' ? { write: fallBackToReducing(state, by, wallMs) } : { done: true }),
    deps,
  );
  if (set.outcome === 'committed') return set.state;
  throw new BusUnavailableError(`trading is not known to be REDUCING: ${set.outcome === 'unknown' ? set.detail : 'declined'}`);
}

async function announce(bus: MaintenanceBus, window: MaintenanceWindow, deps: StateDeps): Promise<void> {
  const { clock = systemClock } = deps;
  let problem = 'not tried';
  for (let attempt = 0; attempt < APPEND_ATTEMPTS; attempt += 1) {
    const idempotencyKey = `maintenance/${window.windowId}/${window.durationMs}`;
    const result: AppendOutcome = await bus.append(MAINTENANCE, encodeMaintenance(window), { key: window.serviceId, idempotencyKey });
    if (isCommitted(result)) return;
    if (result.outcome === 'refused' && result.reason === 'duplicate') return;
    problem = result.detail;
    await clock.sleep(deps.retryMs ?? 50);
  }
  throw new BusUnavailableError(`the maintenance window is not announced: ${problem}`);
}

/**
 * REDUCING first, then the window: work that was announced never finds trading ACTIVE. A halted system stays HALTED.
 * Throws BusUnavailableError where either is not sure; the work must not begin then.
 */
export async function startMaintenance(bus: MaintenanceBus, request: MaintenanceRequest, deps: StateDeps = {}): Promise<MaintenanceWindow> {
  const { clock = systemClock, random = systemRandom } = deps;
  checkName('serviceId', request.serviceId);
  checkDurationMs('durationMs', request.durationMs, { min: 1, max: MAINTENANCE_MAX_MS });
  checkText('by', request.by);
  checkText('reason', request.reason);
  const wallMs = clock.wallMs();
  const state = await reduce(bus, request.by, wallMs, deps);
  const window: MaintenanceWindow = { windowId: random.id(), ...request, epoch: state.epoch, wallMs };
  await announce(bus, window, deps);
  await recordWith(bus, deps, request.by, {
    event: 'maintenance.started',
    cause: request.reason,
    details: { ...window, mode: state.mode },
  });
  return window;
}

/**
 * Ends a window early: the same window with a duration of 0. Trading stays REDUCING until a re-arm, which also checks that
 * the service is at work again.
 */
export async function endMaintenance(
  bus: Pick<Bus, 'latch' | 'append'>,
  request: { readonly windowId: string; readonly serviceId: string; readonly by: string; readonly reason: string },
  deps: StateDeps = {},
): Promise<void> {
  const { clock = systemClock } = deps;
  checkText('windowId', request.windowId);
  checkName('serviceId', request.serviceId);
  checkText('by', request.by);
  checkText('reason', request.reason);
  const { state } = await readTradingState(bus);
  await announce(bus, { ...request, durationMs: 0, epoch: state.epoch, wallMs: clock.wallMs() }, deps);
  await recordWith(bus, deps, request.by, { event: 'maintenance.ended', cause: request.reason, details: { ...request } });
}
