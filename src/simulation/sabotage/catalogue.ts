/** Bugs that a campaign must find: each is a world that lacks one safeguard, made by composition alone. */

import { createStrategyBreakers } from '../../breakers/strategyBreakers.js';
import type { Bus } from '../../bus/bus.js';
import { brokenBrains } from '../../drill/sabotage/brokenBrains.js';
import { brokenExits } from '../../drill/sabotage/brokenExits.js';
import { brokenPermissions } from '../../drill/sabotage/brokenStrategies.js';
import { brokenWatchdogParts, wallClockAge } from '../../drill/sabotage/brokenWatchdogs.js';
import { brokenDuties } from '../../drill/sabotage/brokenWorkers.js';
import type { ExitParts } from '../../emergencyExit/executor.js';
import { intactExitParts } from '../../emergencyExit/executor.js';
import type { WorkerParts } from '../../emergencyExit/workerContext.js';
import { ConfigurationError } from '../../errors.js';
import { unguarded } from '../../watchdog/rules/unguarded.js';
import { BREAKERS, intactWorld, type MakeParts, type WorldParts } from '../world/parts.js';
import { OUTCOME_SABOTAGES } from './outcomes.js';
import { allowsAll, onlyTheLease, type SimulatedSabotage } from './sabotage.js';

const withWorker = (worker: Partial<WorkerParts>): WorldParts => ({ ...intactWorld, worker: { ...intactWorld.worker, ...worker } });
const withExit = (exit: Partial<ExitParts>): WorldParts => withWorker({ exit: { ...intactExitParts, ...exit } });

function named<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new ConfigurationError('sabotage', name, 'must be known to the drill');
  return found;
}

const duty =
  (name: string): MakeParts =>
  (clock) =>
    withWorker(named(brokenDuties(1, clock), name));

const exit = (name: string) => () => withExit(named(brokenExits, name));

/** Takes each trip and shows none to whoever asks first. */
function withoutTrips(bus: Bus): Pick<Bus, 'latch' | 'append'> {
  return {
    append: (stream, fields, options) => bus.append(stream, fields, options),
    latch: (key) => {
      const latch = bus.latch(key);
      return { ...latch, get: async () => ({ ...(await latch.get()), fields: {}, version: 0 }) };
    },
  };
}

export const SIMULATED_SABOTAGES: readonly SimulatedSabotage[] = [
  {
    name: 'no-watchdog',
    removes: 'anyone who accuses',
    breaks: ['L1'],
    parts: () => ({ ...intactWorld, watchdog: brokenWatchdogParts['no-watchdog'] }),
  },
  { name: 'no-worker', removes: 'anyone who closes', breaks: ['L2', 'S6'], parts: duty('no-worker') },
  {
    name: 'read-error-as-zero',
    removes: 'the difference between "could not read" and "nothing there"',
    breaks: ['S5', 'L2'],
    parts: exit('read-error-as-zero'),
    focus: 'blind exit',
  },
  { name: 'halt-last', removes: 'the halt before the first close', breaks: ['S1', 'S4', 'S5'], parts: duty('halt-last') },
  {
    name: 'no-cancel',
    removes: 'the cancelling of working orders',
    breaks: ['S5', 'L2'],
    parts: exit('no-cancel'),
    setup: { restingEvery: 4 },
  },
  {
    name: 'accepted-is-closed',
    removes: 'the look at what became of an accepted close',
    breaks: ['S5', 'L2'],
    parts: exit('accepted-is-closed'),
    focus: 'closes end unfilled',
  },
  { name: 'ack-before-done', removes: 'the acknowledgement after the completion', breaks: ['S6'], parts: duty('ack-before-done') },
  {
    name: 'panic-once',
    removes: 'the re-sending of a panic',
    breaks: ['L1', 'S6'],
    parts: () => ({ ...intactWorld, watchdog: brokenWatchdogParts['panic-once'] }),
    setup: { watchdogs: 1 },
    focus: 'a panic is lost with its bus',
  },
  {
    name: 'beat-from-timer',
    removes: 'the proof of progress in a heartbeat',
    breaks: ['S11'],
    parts: () => ({ ...intactWorld, brain: named(brokenBrains, 'beat-from-timer') }),
  },
  {
    name: 'wall-clock-age',
    removes: 'the monotonic clock',
    breaks: ['S8', 'L1', 'L4'],
    parts: () => ({ ...intactWorld, watchdogClock: wallClockAge }),
  },
  { name: 'no-dedupe', removes: 'the one incident of a failure', breaks: ['S9'], parts: duty('no-dedupe') },
  {
    name: 'drop-old-panic',
    removes: 'the execution of an old panic',
    breaks: ['S6', 'L2'],
    parts: duty('drop-old-panic'),
    focus: 'wall clocks step before the panic',
  },
  {
    name: 'flag-not-lease',
    removes: 'the permission that lapses by itself',
    breaks: ['L4', 'S7'],
    parts: () => ({
      ...intactWorld,
      permission: (lease, bus, clock) => named(brokenPermissions, 'flag-not-lease')(bus, lease, clock),
      ...onlyTheLease,
    }),
    setup: { pace: 1 },
    focus: 'strategy is cut off at the stop',
  },
  {
    name: 'retry-blindly',
    removes: 'the question before a second close',
    breaks: ['S4', 'S5', 'S6'],
    parts: exit('retry-blindly'),
    setup: { reduceOnly: 'rejected' },
    focus: 'silent late closes',
  },
  {
    name: 'check-then-await',
    removes: 'the one synchronous step from check to send',
    breaks: ['S7', 'L4'],
    parts: () => ({ ...intactWorld, sendDelayMs: 1_500 }),
  },
  {
    name: 'never-halts',
    removes: 'the halt of an exit',
    breaks: ['S7', 'L2', 'S1'],
    parts: () => withWorker({ atOnce: () => {}, inOrder: (_raiseHalt, close) => close() }),
  },
  {
    name: 'renews-unwatched',
    removes: 'the watchers that a renewal asks for',
    breaks: ['L4'],
    parts: () => ({ ...intactWorld, lease: { ...intactWorld.lease, renewalRefusal: () => undefined } }),
    setup: { pace: 1 },
    focus: 'nobody watches',
  },
  {
    name: 'trusts-a-still-clock',
    removes: 'the comparison of wall and monotonic clock',
    breaks: ['S7', 'L4'],
    parts: () => ({ ...intactWorld, lease: { ...intactWorld.lease, clocksDiverged: () => false }, ...onlyTheLease }),
    setup: { pace: 1 },
    focus: 'strategy sleeps through the stop',
  },
  {
    name: 'lease-never-lapses',
    removes: 'the end of a lease',
    breaks: ['S7', 'L4'],
    parts: () => ({
      ...intactWorld,
      lease: {
        ...intactWorld.lease,
        decideLease: (observation, nowMs, config) => {
          const decision = intactWorld.lease.decideLease(observation, nowMs, config);
          return decision.kind === 'suspended' ? { kind: 'held', untilMs: nowMs + 1 } : decision;
        },
      },
      ...onlyTheLease,
    }),
    setup: { pace: 1 },
    focus: 'strategy is cut off at the stop',
  },
  {
    name: 'no-horizon',
    removes: 'the wait for orders that are still under way',
    breaks: ['S5'],
    parts: () =>
      withExit({
        judge: (view) => intactExitParts.judge({ ...view, drain: { ...view.drain, horizonMs: 0, silentHolders: [] }, drainedSinceMs: 0 }),
      }),
    focus: 'orders under way',
  },
  {
    name: 'flat-at-first-sight',
    removes: 'the second reading before "flat"',
    breaks: ['S5'],
    parts: () =>
      withExit({
        judge: (view) =>
          intactExitParts.judge({
            ...view,
            confirmGapMs: 0,
            quietReadsMs: view.quietReadsMs.flatMap((ms) => [ms, ms]),
            drain: { ...view.drain, horizonMs: 0, silentHolders: [] },
            drainedSinceMs: 0,
          }),
      }),
    focus: 'orders under way',
  },
  {
    name: 'closes-twice-the-size',
    removes: 'the size of a close that ends a position',
    breaks: ['S4'],
    parts: () =>
      withExit({
        plan: (view) => intactExitParts.plan(view).map((step) => (step.do === 'close' ? { ...step, quantity: step.quantity * 2 } : step)),
      }),
    setup: { reduceOnly: 'rejected' },
  },
  {
    name: 'closes-at-once',
    removes: 'the wait for holders where the venue caps no close',
    breaks: ['S4'],
    parts: () => withExit({ plan: (view) => intactExitParts.plan({ ...view, closingAllowed: true }) }),
    setup: { reduceOnly: 'rejected', ordersPerS: 4, watchdogs: 1, workers: 1 },
    focus: 'orders land between reading and close',
  },
  {
    name: 'no-breakers',
    removes: 'the breakers at the order door',
    breaks: ['S1'],
    parts: () => ({ ...intactWorld, breakerPermission: allowsAll }),
  },
  {
    name: 'forgets-trips',
    removes: 'the trips on the bus, which outlive a process',
    breaks: ['S7'],
    parts: () => ({
      ...intactWorld,
      breakers: (strategyId, deps) =>
        createStrategyBreakers(strategyId, { ...BREAKERS, maxStalenessMs: deps.maxStalenessMs }, { ...deps, bus: withoutTrips(deps.bus) }),
    }),
  },
  {
    name: 'no-unguarded-rule',
    removes: 'the shorter threshold with positions open',
    breaks: ['L1'],
    parts: () => ({
      ...intactWorld,
      watchdog: { ...intactWorld.watchdog, rules: intactWorld.watchdog.rules.filter((rule) => rule !== unguarded) },
    }),
  },
  ...OUTCOME_SABOTAGES,
];

/** Throws {@link ConfigurationError} for a name that is not in the catalogue. */
export function simulatedSabotage(name: string): SimulatedSabotage {
  const found = SIMULATED_SABOTAGES.find((sabotage) => sabotage.name === name);
  if (found === undefined)
    throw new ConfigurationError('sabotage', name, `must be all, or one of ${SIMULATED_SABOTAGES.map((one) => one.name).join(', ')}`);
  return found;
}
