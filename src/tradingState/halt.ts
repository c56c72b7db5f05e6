/** Stops trading: adds a halt to the state, and goes on until it surely holds. */
import { type Audit, createAudit } from '../audit/audit.js';
import type { Bus, LatchValue } from '../bus/bus.js';
import { checkDurationMs, checkOneOf, checkText } from '../checks.js';
import { systemClock } from '../clock.js';
import { SCHEMA_VERSION } from '../messages/fields.js';
import { HALT_KINDS, type Halt, type HaltKind, NEVER_ARMED, type TradingState } from '../messages/tradingState.js';
import { systemRandom } from '../random.js';
import { type Attempt, changeState } from './change.js';
import { HALT_TIMEOUT_MS, type StateDeps } from './options.js';
import { addHalt, FURTHER_HALTS, hasHalt } from './transitions.js';

export interface HaltRequest {
  readonly kind: HaltKind;
  readonly reason: string;
  /** Who halts: a person's or a process's name. */
  readonly by: string;
  /** Kind `exit`: the incident that asks for it. */
  readonly incident?: string;
  /** Kind `exit`: the panic that the incident began with. */
  readonly eventId?: string;
  /** The same id twice is one halt. Default: one for each incident, otherwise a new one. */
  readonly id?: string;
}

export type HaltOutcome =
  /** `unreplicated`: one master alone holds it, and why. Whoever has seen it adds it again behind a failover. */
  | {
      readonly outcome: 'committed';
      readonly haltId: string;
      readonly epoch: number;
      readonly version: number;
      readonly unreplicated?: string;
    }
  | { readonly outcome: 'unknown'; readonly haltId: string; readonly detail: string };

export type StateBus = Pick<Bus, 'latch' | 'append'>;

/** The halt of an incident: whoever asks for it, it is one. */
export function exitHaltId(incident: string): string {
  return `exit/${incident}`;
}

/**
 * A state that nobody can read refuses everyone already, but no re-arm could ever name its halts. It is replaced by one that
 * says so, unless it was written by a newer version, which may understand it.
 */
export function salvageState(value: LatchValue, wallMs: number): TradingState | undefined {
  const schema = Number(value.fields['schema']);
  if (Number.isInteger(schema) && schema > SCHEMA_VERSION + 1) return undefined;
  const epoch = Number(value.fields['epoch']);
  const state = { ...NEVER_ARMED, epoch: Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : 0 };
  return addHalt(state, {
    id: `unreadable-state/${value.version}`,
    kind: 'doubt',
    by: 'failflat',
    reason: `version ${value.version} of the trading state could not be understood; its halts are not known`,
    sinceWallMs: wallMs,
  });
}

/**
 * Adds a halt until committed, at most `timeoutMs` (default 5,000). Never throws for what the bus does; a wrong argument is
 * a ConfigurationError. `unknown` means that it may hold or not: the caller goes on as if halted, and asks again.
 */
export async function halt(bus: StateBus, request: HaltRequest, deps: StateDeps = {}): Promise<HaltOutcome> {
  const { clock = systemClock, random = systemRandom, timeoutMs = HALT_TIMEOUT_MS } = deps;
  const kind = checkOneOf('kind', request.kind, HALT_KINDS);
  checkText('reason', request.reason);
  checkText('by', request.by);
  checkDurationMs('timeoutMs', timeoutMs, { min: 1 });
  const haltId = request.id ?? (request.incident === undefined ? random.id() : exitHaltId(request.incident));
  const added: Halt = {
    id: haltId,
    kind,
    by: request.by,
    reason: request.reason,
    sinceWallMs: clock.wallMs(),
    ...(request.incident === undefined ? {} : { incident: request.incident }),
    ...(request.eventId === undefined ? {} : { eventId: request.eventId }),
  };
  const result = await changeState(bus, ({ state }) => withHalt(state, added), {
    clock,
    timeoutMs,
    ...(deps.retryMs === undefined ? {} : { retryMs: deps.retryMs }),
    salvage: (value) => salvageState(value, clock.wallMs()),
  });
  if (result.outcome === 'committed') {
    const standsAs = hasHalt(result.state, haltId) ? haltId : FURTHER_HALTS;
    const isNews = result.changed || standsAs !== haltId;
    const alone = result.unreplicated === undefined ? {} : { unreplicated: result.unreplicated };
    if (isNews) await recordHalt(bus, deps, added, { epoch: result.state.epoch, version: result.version, ...alone });
    return { outcome: 'committed', haltId: standsAs, epoch: result.state.epoch, version: result.version, ...alone };
  }
  const detail = result.outcome === 'unknown' ? result.detail : 'the state was not changed';
  await recordHalt(bus, deps, added, { unknown: detail });
  return { outcome: 'unknown', haltId, detail };
}

function withHalt(state: TradingState, added: Halt): Attempt {
  const write = addHalt(state, added);
  return write === state ? { done: true } : { write };
}

async function recordHalt(bus: StateBus, deps: StateDeps, added: Halt, details: Readonly<Record<string, unknown>>): Promise<void> {
  await recordWith(bus, deps, added.by, {
    event: 'unknown' in details ? 'state.halt_unknown' : 'state.halted',
    cause: added.reason,
    ...(added.incident === undefined ? {} : { incident: added.incident }),
    details: { ...details, haltId: added.id, kind: added.kind },
  });
}

/** A caller with an audit of its own does not wait for the entry; one without would end before it is written. */
export async function recordWith(
  bus: Pick<Bus, 'append'>,
  deps: StateDeps,
  actor: string,
  event: Parameters<Audit['record']>[0],
): Promise<void> {
  if (deps.audit !== undefined) {
    void deps.audit.record(event);
    return;
  }
  await createAudit({
    bus,
    actor,
    ...(deps.clock === undefined ? {} : { clock: deps.clock }),
    ...(deps.logger === undefined ? {} : { logger: deps.logger }),
    ...(deps.random === undefined ? {} : { random: deps.random }),
  }).record(event);
}
