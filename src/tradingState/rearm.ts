/** Arms trading in stages: HALTED, then REDUCING while everyone shows that they are at work, then ACTIVE. */
import type { Bus } from '../bus/bus.js';
import { checkDurationMs } from '../checks.js';
import { systemClock } from '../clock.js';
import { FailflatError, messageOf } from '../errors.js';
import { isolated } from '../logger.js';
import { NEVER_ARMED } from '../messages/tradingState.js';
import { changeState } from './change.js';
import { observeFleet } from './fleet.js';
import { halt, recordWith } from './halt.js';
import { readHolders } from './holders.js';
import { newestPanic, openIncidents, readExitRecord } from './incidents.js';
import { OBSERVE_MS, REARM_DWELL_MS, type StateDeps } from './options.js';
import { readTradingState } from './read.js';
import { dwellFailures } from './rearmDwell.js';
import {
  accountsToArm,
  type BookPosition,
  describeRearm,
  planRearm,
  type RearmFacts,
  type RearmPlan,
  type RearmRequest,
} from './rearmPlan.js';
import { activate, armReducing } from './transitions.js';

/** Trading was not armed. `stage` says how far it came: refused before anything changed, or fallen back to HALTED. */
export class RearmRefusedError extends FailflatError {
  readonly reasons: readonly string[];
  readonly stage: 'plan' | 'dwell';

  constructor(stage: 'plan' | 'dwell', reasons: readonly string[]) {
    super('rearm_refused', `re-arm ${stage === 'plan' ? 'refused' : 'fell back to HALTED'}: ${reasons.join('; ')}`);
    this.reasons = reasons;
    this.stage = stage;
  }
}

export interface RearmDeps extends StateDeps {
  /** Re-reads the venue's book of these accounts: those that were armed and those that will be. Without it only a live worker's fresh "no positions" counts. */
  readonly readBook?: (accounts: readonly string[]) => Promise<readonly BookPosition[]>;
  /** Default {@link REARM_DWELL_MS}. */
  readonly dwellMs?: number;
  /** How long beats are observed before the plan is made. Default {@link OBSERVE_MS}. */
  readonly observeMs?: number;
  /** Told what will and will not be done, before anything changes. */
  readonly announce?: (plan: RearmPlan, text: string) => void;
}

export interface RearmOutcome {
  readonly epoch: number;
  readonly version: number;
  readonly plan: RearmPlan;
}

type RearmBus = Pick<Bus, 'latch' | 'append' | 'read' | 'end'>;

async function readBook(deps: RearmDeps, accounts: readonly string[]): Promise<Pick<RearmFacts, 'book' | 'bookProblem'>> {
  if (deps.readBook === undefined) return { book: undefined };
  try {
    return { book: await deps.readBook(accounts) };
  } catch (error) {
    return { book: undefined, bookProblem: messageOf(error) };
  }
}

/** Observes for `observeMs` and plans; changes nothing. Throws BusUnavailableError or BusDoubtError where the bus cannot be read. */
export async function prepareRearm(bus: RearmBus, request: RearmRequest, deps: RearmDeps = {}): Promise<RearmPlan> {
  const { clock = systemClock, observeMs = OBSERVE_MS } = deps;
  const observer = observeFleet(bus, { clock });
  try {
    await clock.sleep(checkDurationMs('observeMs', observeMs));
  } finally {
    await observer.stop();
  }
  const fleet = observer.seen();
  const armed = await readTradingState(bus);
  const book = await readBook(deps, [...new Set([...armed.state.accounts, ...accountsToArm(fleet, request)])]);
  const record = await readExitRecord(bus);
  const holders = await readHolders(bus);
  // The state is read last: a halt that comes during all of this is then in the plan, and its absence in `clears` refuses it.
  const { state, version } = await readTradingState(bus);
  const incidents = openIncidents(record, state);
  const newestPanicMs = newestPanic(record);
  return planRearm({ state, version, fleet, holders, incidents, newestPanicMs, ...book }, request);
}

async function newIncidents(bus: RearmBus, plan: RearmPlan): Promise<readonly string[]> {
  const { fromEpoch: epoch, fromAccounts: accounts, fromPanicsUntilMs: until } = plan;
  const before = { ...NEVER_ARMED, epoch, accounts, ...(until === undefined ? {} : { panicsUntilMs: until }) };
  const open = openIncidents(await readExitRecord(bus), before);
  return open.map(({ incident }) => incident).filter((incident) => !plan.supersededIncidents.includes(incident));
}

async function dwell(bus: RearmBus, plan: RearmPlan, deps: RearmDeps, dwellMs: number): Promise<readonly string[]> {
  const { clock = systemClock } = deps;
  const observer = observeFleet(bus, { clock });
  try {
    await clock.sleep(dwellMs);
    const fleet = observer.seen();
    const nowMs = clock.monotonicMs();
    const holders = await readHolders(bus);
    return dwellFailures(plan, { fleet, holders, newIncidents: await newIncidents(bus, plan), nowMs, progressWithinMs: dwellMs / 2 });
  } catch (error) {
    return [`the bus could not be read: ${messageOf(error)}`];
  } finally {
    await observer.stop();
  }
}

async function fallBackToHalted(bus: RearmBus, plan: RearmPlan, deps: RearmDeps, reasons: readonly string[]): Promise<never> {
  const reason = `re-arm to epoch ${plan.toEpoch} failed: ${reasons.join('; ')}`;
  const outcome = await halt(bus, { kind: 'doubt', by: plan.by, reason, id: `rearm/${plan.toEpoch}` }, deps);
  const unsure = outcome.outcome === 'unknown' ? [`its own halt is not confirmed: ${outcome.detail}`] : [];
  await recordWith(bus, deps, plan.by, { event: 'state.rearm_failed', cause: reason, details: { epoch: plan.toEpoch, outcome } });
  throw new RearmRefusedError('dwell', [...reasons, ...unsure]);
}

async function beginReducing(bus: RearmBus, plan: RearmPlan, deps: RearmDeps): Promise<number> {
  const { clock = systemClock } = deps;
  const { accounts, services, panicsUntilMs, by } = plan;
  const armament = { clears: plan.clearedHalts, accounts, services, panicsUntilMs, by, wallMs: clock.wallMs() };
  const set = await changeState(
    bus,
    ({ state, version }) => (version === plan.version ? { write: armReducing(state, armament) } : { declined: true }),
    deps,
  );
  if (set.outcome === 'committed') return set.version;
  if (set.outcome === 'declined') throw new RearmRefusedError('plan', ['the state changed while the plan was made: look again']);
  return fallBackToHalted(bus, plan, deps, [`whether REDUCING was written is unknown: ${set.detail}`]);
}

async function finish(bus: RearmBus, plan: RearmPlan, deps: RearmDeps, reducingVersion: number): Promise<number> {
  const { clock = systemClock } = deps;
  const wallMs = clock.wallMs();
  const set = await changeState(
    bus,
    ({ state, version }) => (version === reducingVersion ? { write: activate(state, plan.by, wallMs) } : { declined: true }),
    deps,
  );
  if (set.outcome === 'committed') return set.version;
  if (set.outcome === 'unknown') return fallBackToHalted(bus, plan, deps, [`whether ACTIVE was written is unknown: ${set.detail}`]);
  const why = set.state.halts.map(({ by, reason }) => `${by}: ${reason}`).join('; ');
  const reasons = [`the state changed during the dwell${why === '' ? '' : `, halted by ${why}`}`];
  await recordWith(bus, deps, plan.by, { event: 'state.rearm_failed', cause: reasons.join('; '), details: { epoch: plan.toEpoch } });
  throw new RearmRefusedError('dwell', reasons);
}

/**
 * Arms trading at a new epoch. Takes `observeMs` + `dwellMs` (7.5 s by default). Throws {@link RearmRefusedError} with every
 * reason; what fails after REDUCING was written is back to HALTED. If this process dies half-way the state stays REDUCING,
 * where nobody may add risk.
 */
export async function rearm(bus: RearmBus, request: RearmRequest, deps: RearmDeps = {}): Promise<RearmOutcome> {
  const dwellMs = checkDurationMs('dwellMs', deps.dwellMs ?? REARM_DWELL_MS, { min: 1 });
  const plan = await prepareRearm(bus, request, deps);
  isolated(deps.announce, plan, describeRearm(plan, dwellMs));
  const details = { ...plan };
  if (plan.refusals.length > 0) {
    await recordWith(bus, deps, plan.by, { event: 'state.rearm_refused', cause: plan.refusals.join('; '), details });
    throw new RearmRefusedError('plan', plan.refusals);
  }
  const reducingVersion = await beginReducing(bus, plan, deps);
  await recordWith(bus, deps, plan.by, { event: 'state.rearm_reducing', cause: plan.reason, details });
  const failures = await dwell(bus, plan, deps, dwellMs);
  if (failures.length > 0) return fallBackToHalted(bus, plan, deps, failures);
  const version = await finish(bus, plan, deps, reducingVersion);
  await recordWith(bus, deps, plan.by, { event: 'state.armed', cause: plan.reason, details: { ...details, version } });
  return { epoch: plan.toEpoch, version, plan };
}
