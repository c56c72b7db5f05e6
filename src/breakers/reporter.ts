/** Tells what the breakers of one strategy do: to the log, to the record and to listeners. Nothing that hears it changes a result. */
import { type Audit, createAudit } from '../audit/audit.js';
import { isolated, isolatedLogger, type Logger, tellAll } from '../logger.js';
import type { StoredReset } from '../messages/breaker.js';
import type { Finding } from './evidence.js';
import type { BreakerEvent, StrategyBreakersDeps } from './face.js';
import { type BreakerState, type Trip, tripsOf } from './state.js';
import type { WarningLevel } from './warnings.js';

const STATUS_EVENTS = {
  closed: 'breaker.closed',
  tripped: 'breaker.latched',
  cooling: 'breaker.cooling',
  probing: 'breaker.probing',
} as const satisfies Readonly<Record<BreakerState['status'], string>>;

/** What is told of a reset, wherever it was asked for. */
export type ResetTold = Pick<StoredReset, 'by' | 'reason' | 'how'>;

function ownAudit(actor: string, { bus, clock, random, logger }: StrategyBreakersDeps): Audit | undefined {
  if (bus === undefined) return undefined;
  return createAudit({
    bus,
    actor,
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
    ...(logger === undefined ? {} : { logger }),
  });
}

export class Reporter {
  readonly logger: Logger;
  readonly #strategyId: string;
  readonly #ownAudit: Audit | undefined;
  readonly #audit: Pick<Audit, 'record'> | undefined;
  readonly #listeners = new Set<(event: BreakerEvent) => void>();

  constructor(strategyId: string, actor: string, deps: StrategyBreakersDeps) {
    this.#strategyId = strategyId;
    this.logger = isolatedLogger(deps.logger);
    this.#ownAudit = deps.audit === undefined ? ownAudit(actor, deps) : undefined;
    this.#audit = deps.audit ?? this.#ownAudit;
  }

  /** Waits until what was recorded is on the bus, a second at most. A record that was handed in is flushed by whoever made it. */
  async flush(): Promise<void> {
    await this.#ownAudit?.flush();
  }

  onEvent(listener: (event: BreakerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: BreakerEvent): void {
    tellAll(this.#listeners, event);
  }

  /** For the log and the record. */
  note(event: string, cause: string, details: Readonly<Record<string, unknown>>): void {
    this.logger.info({ strategyId: this.#strategyId, event, ...details }, cause);
    isolated(() => this.#audit?.record({ event, cause, details: { strategyId: this.#strategyId, ...details } }));
  }

  trip(trip: Trip): void {
    this.logger.error({ strategyId: this.#strategyId, trip }, 'circuit_breaker_triggered');
    this.note('breaker.tripped', trip.message, { tripId: trip.id, breaker: trip.type, reasonCode: trip.reasonCode, ...trip.details });
    this.tell({ type: 'tripped', trip });
  }

  /** Found on the bus. */
  adopted(trip: Trip): void {
    this.logger.error({ strategyId: this.#strategyId, trip }, 'circuit_breaker_adopted');
    this.note('breaker.adopted', trip.message, { tripId: trip.id, breaker: trip.type, reasonCode: trip.reasonCode });
    this.tell({ type: 'tripped', trip });
  }

  status(state: BreakerState, from: BreakerState['status']): void {
    this.note(STATUS_EVENTS[state.status], tripsOf(state)[0]?.message ?? 'no trip is left', { from });
    this.tell({ type: 'status', state });
  }

  /** `breaker.reset_heard`: it was asked for in another process. */
  reset(event: 'breaker.reset' | 'breaker.reset_heard', cleared: readonly Trip[], { by, reason, how }: ResetTold): void {
    this.note(event, reason, { by, how, cleared: cleared.map(({ type, reasonCode, id }) => ({ type, reasonCode, id })) });
    this.tell({ type: 'reset', by, reason, cleared });
  }

  warning({ type, result }: Finding, level: WarningLevel): void {
    this.note('breaker.warning', `${level * 100} % of a limit: ${result.message}`, { breaker: type, level, ...result.details });
    this.tell({ type: 'warning', breaker: type, level, result });
  }
}
