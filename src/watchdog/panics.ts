/** Turns accusations into panics: one for each account and epoch, sent until it is answered, with people told at once. */
import { type AlertSink, alertWithoutWaiting } from '../alert/alert.js';
import type { Audit } from '../audit/audit.js';
import type { AppendOutcome, Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import { firstSendKey, incidentId, type PanicClose, watchdogPanicId } from '../messages/panicClose.js';
import { Incidents, type ResendPace } from './incidents.js';
import type { ServiceObservation, Suspicion } from './rules/rule.js';
import type { SendPanic } from './sendPanic.js';

export interface PanicParts {
  /** One send, retried until the bus has it. */
  readonly sendPanic: SendPanic;
  /** The sends that are due again now. */
  readonly resends: (incidents: Incidents, nowMs: number) => readonly PanicClose[];
}

export interface PanicsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alert: AlertSink;
  readonly audit: Pick<Audit, 'record'>;
  readonly watchdogId: string;
  /** This life of the watchdog. */
  readonly generation: string;
  readonly pace: ResendPace;
}

/** People are told once that nobody answers, at this re-send. */
const UNANSWERED_RESEND = 3;

export class Panics {
  readonly incidents: Incidents;
  readonly #options: PanicsOptions;
  readonly #parts: PanicParts;
  readonly #sending = new Set<string>();
  #closed = false;

  constructor(options: PanicsOptions, parts: PanicParts) {
    this.#options = options;
    this.#parts = parts;
    this.incidents = new Incidents(options.pace);
  }

  /** Starts nothing for accounts that are covered in this epoch already. */
  accuse(observed: ServiceObservation, suspicion: Suspicion, accounts: readonly string[], epoch: number): void {
    for (const account of accounts) {
      if (this.incidents.covers(account, epoch)) continue;
      const panic: PanicClose = {
        eventId: watchdogPanicId(account, epoch),
        reason: suspicion.reason,
        issuedBy: 'watchdog',
        by: this.#options.watchdogId,
        wallMs: this.#options.clock.wallMs(),
        epoch,
        scope: account,
        resend: 0,
      };
      this.incidents.saw(panic, this.#options.clock.monotonicMs());
      void this.#send(panic, firstSendKey(panic.eventId), observed, suspicion);
      this.#tell(panic, observed, suspicion);
    }
  }

  resendDue(nowMs: number): void {
    for (const panic of this.#parts.resends(this.incidents, nowMs)) {
      const { watchdogId, generation } = this.#options;
      const again = { ...panic, by: watchdogId, wallMs: this.#options.clock.wallMs() };
      // Also while a send is under way that nobody answers: people must hear of that as well.
      if (panic.resend === UNANSWERED_RESEND) this.#tellUnanswered(again);
      if (this.#sending.has(panic.eventId)) continue;
      void this.#send(again, `${firstSendKey(panic.eventId)}/${watchdogId}/${generation}/${panic.resend}`);
    }
  }

  /** No further attempts. */
  close(): void {
    this.#closed = true;
  }

  async #send(panic: PanicClose, idempotencyKey: string, observed?: ServiceObservation, suspicion?: Suspicion): Promise<void> {
    const { bus, clock, logger, audit, watchdogId } = this.#options;
    this.#sending.add(panic.eventId);
    const stillNeeded = () => !this.#closed && this.incidents.isOpen(panic);
    const outcome = await this.#parts.sendPanic(panic, { bus, clock, logger, idempotencyKey, key: watchdogId, stillNeeded });
    this.#sending.delete(panic.eventId);
    await audit.record({
      event: panic.resend > 0 ? 'watchdog.panic_resent' : joined(outcome) ? 'watchdog.panic_joined' : 'watchdog.panic_sent',
      cause: suspicion?.reason ?? panic.reason,
      ...(panic.scope === undefined ? {} : { incident: incidentId(panic.scope, panic.epoch) }),
      details: { eventId: panic.eventId, resend: panic.resend, outcome: outcome.outcome, ...(observed === undefined ? {} : { observed }) },
    });
  }

  #tell(panic: PanicClose, observed: ServiceObservation, suspicion: Suspicion): void {
    const { alert, clock, logger, watchdogId } = this.#options;
    const account = panic.scope ?? 'all accounts';
    const age = `${Math.round(observed.beatAgeMs)} ms since its last beat`;
    alertWithoutWaiting(
      alert,
      {
        kind: 'watchdog.panic',
        severity: 'critical',
        incident: incidentId(account, panic.epoch),
        account,
        summary: `panic_close for ${account}: ${suspicion.reason} (${observed.serviceId}, ${age})`,
        details: { eventId: panic.eventId, rule: suspicion.rule, by: watchdogId, observed },
        wallMs: clock.wallMs(),
      },
      logger,
    );
  }

  #tellUnanswered(panic: PanicClose): void {
    const { alert, clock, logger } = this.#options;
    const account = panic.scope ?? 'all accounts';
    alertWithoutWaiting(
      alert,
      {
        kind: 'watchdog.panic_unanswered',
        severity: 'critical',
        incident: incidentId(account, panic.epoch),
        account,
        summary: `panic_close for ${account} has not been completed: is an exit worker running?`,
        details: { eventId: panic.eventId, resend: panic.resend },
        wallMs: clock.wallMs(),
      },
      logger,
    );
  }
}

function joined(outcome: AppendOutcome): boolean {
  return outcome.outcome === 'refused' && outcome.reason === 'duplicate';
}
