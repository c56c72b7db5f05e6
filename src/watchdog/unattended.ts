/** Finds the accounts that a panic is about and that no exit worker is alive for: nobody else could tell. */
import { type AlertSink, alertWithoutWaiting } from '../alert/alert.js';
import type { Audit } from '../audit/audit.js';
import { type AppendOutcome, type Bus, isCommitted } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { type Escalation, encodeExitReport, PANIC_ESCALATED } from '../messages/completion.js';
import { incidentId, type PanicClose } from '../messages/panicClose.js';
import type { PeerBeat } from '../messages/peerBeat.js';

interface WorkerLife {
  readonly account: string;
  readonly generation: string;
  readonly sequence: number;
  readonly heardMs: number;
}

/** When the workers of each account last beat. Only an advancing sequence counts. */
export class WorkerLives {
  readonly #lives = new Map<string, WorkerLife>();

  /** Times are on the watchdog's healthy clock. */
  hear({ peerId, worker, generation, sequence }: PeerBeat, atMs: number): void {
    if (worker === undefined) return;
    const before = this.#lives.get(peerId);
    if (before !== undefined && before.generation === generation && before.sequence >= sequence) return;
    this.#lives.set(peerId, { account: worker.account, generation, sequence, heardMs: atMs });
  }

  /** Undefined: no worker of this account was ever heard. */
  lastHeardMs(account: string): number | undefined {
    let last: number | undefined;
    for (const life of this.#lives.values()) if (life.account === account) last = Math.max(last ?? life.heardMs, life.heardMs);
    return last;
  }
}

/** One account of an open panic that no completion answers. */
export interface OpenAccount {
  readonly account: string;
  readonly panic: PanicClose;
}

export interface UnattendedOptions {
  readonly bus: Pick<Bus, 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alert: AlertSink;
  readonly audit: Pick<Audit, 'record'>;
  readonly watchdogId: string;
  /** No beat of a worker of the account for this long, with its panic open for as long. */
  readonly workerMissingMs: number;
}

export class Unattended {
  readonly #options: UnattendedOptions;
  readonly #lives = new WorkerLives();
  /** Since when each open incident is known here, on the healthy clock. */
  readonly #openSince = new Map<string, number>();
  readonly #told = new Set<string>();
  readonly #recording = new Set<string>();
  readonly #recorded = new Set<string>();

  constructor(options: UnattendedOptions) {
    this.#options = options;
  }

  hear(beat: PeerBeat, atMs: number): void {
    this.#lives.hear(beat, atMs);
  }

  /** Call often while this watchdog is sure of itself: silence that it could not have heard accuses nobody. */
  look(open: readonly OpenAccount[], healthyMs: number): void {
    const incidents = new Set(open.map(({ account, panic }) => incidentId(account, panic.epoch)));
    for (const known of this.#openSince.keys()) if (!incidents.has(known)) this.#forget(known);
    for (const { account, panic } of open) this.#lookAt(account, panic, healthyMs);
  }

  #lookAt(account: string, panic: PanicClose, healthyMs: number): void {
    const incident = incidentId(account, panic.epoch);
    const sinceMs = this.#openSince.get(incident) ?? healthyMs;
    this.#openSince.set(incident, sinceMs);
    const silentMs = healthyMs - Math.max(sinceMs, this.#lives.lastHeardMs(account) ?? sinceMs);
    if (silentMs < this.#options.workerMissingMs) return;
    if (!this.#told.has(incident)) this.#tell(account, incident, panic);
    if (!this.#recorded.has(incident) && !this.#recording.has(incident)) void this.#record(account, incident, panic);
  }

  #forget(incident: string): void {
    this.#openSince.delete(incident);
    this.#told.delete(incident);
    this.#recorded.delete(incident);
  }

  #why(account: string): string {
    return `no exit worker of ${account} has beaten for ${this.#options.workerMissingMs} ms`;
  }

  /** Straight to people, before the bus is asked for anything. */
  #tell(account: string, incident: string, { eventId, reason }: PanicClose): void {
    this.#told.add(incident);
    const { alert, clock, logger, watchdogId, audit } = this.#options;
    const summary = `panic_close for ${account} is carried out by nobody: ${this.#why(account)}`;
    const details = { eventId, by: watchdogId };
    alertWithoutWaiting(
      alert,
      { kind: 'exit.no_worker', severity: 'critical', incident, account, summary, details, wallMs: clock.wallMs() },
      logger,
    );
    void audit.record({ event: 'exit.no_worker', cause: `${this.#why(account)}: ${reason}`, incident, details: { eventId } });
  }

  /** One record for each incident, whichever watchdog writes it; a write that fails is begun again at a later look. */
  async #record(account: string, incident: string, panic: PanicClose): Promise<void> {
    this.#recording.add(incident);
    const outcome = await this.#append(account, incident, panic);
    this.#recording.delete(incident);
    if (isCommitted(outcome) || (outcome.outcome === 'refused' && outcome.reason === 'duplicate')) this.#recorded.add(incident);
    else this.#options.logger.error({ incident, outcome }, 'an escalation is not written yet');
  }

  async #append(account: string, incident: string, panic: PanicClose): Promise<AppendOutcome> {
    const { bus, clock, watchdogId } = this.#options;
    const wallMs = clock.wallMs();
    const escalation: Escalation = {
      eventId: panic.eventId,
      incident,
      account,
      epoch: panic.epoch,
      verdict: 'no_worker',
      // Nobody has looked at the book: how many positions it holds is not known.
      positionsTotal: 0,
      positionsClosed: 0,
      positionsFailed: 0,
      failedSymbols: [],
      startedWallMs: wallMs,
      completedWallMs: wallMs,
      executionTimeMs: 0,
      fencingToken: 0,
      worker: watchdogId,
      silentHolders: [],
      residue: [{ symbol: '*', quantity: 0, why: this.#why(account) }],
    };
    try {
      return await bus.append(PANIC_ESCALATED, encodeExitReport(escalation), { idempotencyKey: `escalated/${incident}/no_worker` });
    } catch (error) {
      return { outcome: 'unknown', detail: messageOf(error) };
    }
  }
}
