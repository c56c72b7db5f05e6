/** Decides when to look at whom, and accuses only what still holds after contact was proved and everything read once more. */
import type { Clock, Timer } from '../clock.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import type { Contact } from './contact.js';
import type { Panics } from './panics.js';
import type { Now, Roster } from './roster.js';
import { firstSuspicion } from './rules/all.js';
import type { Rule, RuleLimits, ServiceObservation, Suspicion } from './rules/rule.js';
import { accusableInMs, type SelfDoubt, type SelfDoubtLimits } from './selfDoubt.js';

export interface JudgeOptions {
  readonly clock: Clock;
  readonly rules: readonly Rule[];
  readonly limits: RuleLimits;
  readonly doubtLimits: SelfDoubtLimits;
  readonly roster: Roster;
  readonly panics: Panics;
  readonly contact: Contact;
  /** With nothing due, everybody is looked at this often all the same. */
  readonly lookEveryMs: number;
}

export class Judge {
  readonly #options: JudgeOptions;
  #timer: Timer | undefined;
  #nextLookMs = Number.POSITIVE_INFINITY;
  #judging = false;
  #closed = false;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  suspicionAbout(observed: ServiceObservation): Suspicion | undefined {
    return firstSuspicion(this.#options.rules, observed, this.#options.limits);
  }

  /** News of one service can only bring its own next look forward. */
  lookAt(serviceId: string): void {
    const { contact, roster } = this.#options;
    const observed = roster.observe(serviceId, nowOf(contact.doubt));
    const suspicion = observed === undefined ? undefined : this.suspicionAbout(observed);
    if (observed === undefined || suspicion === undefined) return;
    const inMs = this.#accusableInMs(observed, suspicion);
    if (inMs !== undefined) this.#lookWithin(inMs);
  }

  /** Looks at everybody; whoever is due is judged, and the next look is set to when somebody could be. */
  look(): void {
    if (this.#closed) return;
    const { lookEveryMs } = this.#options;
    let withinMs = lookEveryMs;
    const due: string[] = [];
    this.#nextLookMs = Number.POSITIVE_INFINITY;
    for (const observed of this.#options.roster.observeAll(nowOf(this.#options.contact.doubt))) {
      const suspicion = this.suspicionAbout(observed);
      if (suspicion === undefined || suspicion.dueInMs >= lookEveryMs) continue;
      const inMs = this.#accusableInMs(observed, suspicion) ?? lookEveryMs;
      withinMs = Math.min(withinMs, inMs);
      if (inMs <= 0) due.push(observed.serviceId);
    }
    if (due.length === 0) this.#lookWithin(withinMs);
    else void this.#judge(due);
  }

  /** Undefined: not as things stand, because its accounts are covered in this epoch or the watchdog doubts itself. */
  #accusableInMs(observed: ServiceObservation, suspicion: Suspicion): number | undefined {
    const { contact, doubtLimits, panics, roster } = this.#options;
    if (this.#accountsOf(observed).every((account) => panics.incidents.covers(account, roster.epoch))) return undefined;
    return suspicion.dueInMs > 0 ? suspicion.dueInMs : accusableInMs(contact.doubt, -suspicion.dueInMs, doubtLimits);
  }

  #lookWithin(delayMs: number): void {
    const { clock, contact, lookEveryMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const nextLookMs = nowMs + Math.min(delayMs, lookEveryMs);
    if (this.#closed || nextLookMs >= this.#nextLookMs) return;
    this.#timer?.cancel();
    this.#nextLookMs = nextLookMs;
    this.#timer = clock.setTimer(nextLookMs - nowMs, () => {
      contact.wake();
      this.look();
    });
  }

  /**
   * Contact is proved and everything read once more, both asked for after the accusation was due, and then it is judged as of
   * that moment: a beat that was on the bus by then is seen, however late this process was.
   */
  async #judge(due: readonly string[]): Promise<void> {
    if (this.#judging) return;
    this.#judging = true;
    const { contact } = this.#options;
    const asOf = contact.doubt;
    if ((await contact.confirm()) && !this.#closed) this.#accuse(due, asOf);
    this.#judging = false;
    this.look();
  }

  /** Only those who were due before contact was proved: whoever has become so since is judged at the next look. */
  #accuse(due: readonly string[], asOf: SelfDoubt): void {
    const { doubtLimits, panics, roster } = this.#options;
    for (const serviceId of due) {
      const observed = roster.observe(serviceId, nowOf(asOf));
      const suspicion = observed === undefined ? undefined : this.suspicionAbout(observed);
      if (observed === undefined || suspicion === undefined) continue;
      if (suspicion.dueInMs > 0 || accusableInMs(asOf, -suspicion.dueInMs, doubtLimits) !== 0) continue;
      panics.accuse(observed, suspicion, this.#accountsOf(observed), roster.epoch);
    }
  }

  #accountsOf(observed: ServiceObservation): readonly string[] {
    const accounts = this.#options.roster.accountsOf(observed);
    return accounts.length === 0 ? [DEFAULT_ACCOUNT] : accounts;
  }
}

export function nowOf(doubt: SelfDoubt): Now {
  return { healthyMs: doubt.healthyMs, monotonicMs: doubt.tickedMs };
}
