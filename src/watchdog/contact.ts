/** The watchdog's hold on itself: it notices its own stalls and losses of contact, and earns its trust back before it accuses. */
import { type AlertSink, alertWithoutWaiting } from '../alert/alert.js';
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { lostContact, provedContact, recovered, type SelfDoubt, type SelfDoubtLimits, startDoubting, tick } from './selfDoubt.js';
import { PROBE_TIMEOUT_MS } from './tempo.js';

export interface ContactOptions {
  readonly bus: Pick<Bus, 'probe'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alert: AlertSink;
  readonly watchdogId: string;
  readonly limits: SelfDoubtLimits;
  /** Contact is proved anew about this often. */
  readonly probeEveryMs: number;
  /** Without contact for longer than this, people are told. */
  readonly busOutageMaxMs: number;
  /** Takes in everything that the bus holds now; throws without contact. */
  readonly readToEnd: () => Promise<void>;
  readonly doubtBegan: (doubt: NonNullable<SelfDoubt['doubt']>) => void;
  readonly doubtEnded: () => void;
  /** The bus is not the one that it was. */
  readonly identityChanged: () => void;
}

export class Contact {
  readonly #options: ContactOptions;
  #doubt: SelfDoubt;
  #probedMs = Number.NEGATIVE_INFINITY;
  #probing = false;
  #recovering = false;
  #toldLost = false;
  #identity: string | undefined;

  constructor(options: ContactOptions) {
    this.#options = options;
    this.#doubt = startDoubting(options.clock.monotonicMs());
  }

  get doubt(): SelfDoubt {
    return this.#doubt;
  }

  restart(): void {
    this.#doubt = startDoubting(this.#options.clock.monotonicMs());
  }

  /** Call first of all whenever this process gets to run. */
  wake(): void {
    this.#become(tick(this.#doubt, this.#options.clock.monotonicMs(), this.#options.limits));
  }

  /** Call on every beat of one's own: proves contact anew, or works on ending the doubt. */
  keep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#doubt.doubt === undefined) void this.#probeAgain(nowMs);
    else void this.#recover();
    this.#tellLost(nowMs);
  }

  /** Proves contact and reads to the end, both begun now. False: neither is sure, and nobody may be accused. */
  async confirm(): Promise<boolean> {
    try {
      const [sentMs] = await Promise.all([this.#probe(), this.#options.readToEnd()]);
      if (sentMs === undefined) this.#lost();
      return sentMs !== undefined;
    } catch (error) {
      this.#unreadable(error);
      return false;
    }
  }

  /** Returns when the probe was sent; undefined: no contact. */
  async #probe(): Promise<number | undefined> {
    const { bus, clock, identityChanged } = this.#options;
    try {
      const result = await settleWithin(clock, bus.probe(), PROBE_TIMEOUT_MS);
      this.wake();
      if (!result.settled || !result.value.ok) return undefined;
      const { identity, sentMs } = result.value;
      if (this.#identity !== undefined && this.#identity !== identity) identityChanged();
      this.#identity = identity;
      return sentMs;
    } catch {
      // Probes do not throw by contract; one that does has proved nothing.
      return undefined;
    }
  }

  async #probeAgain(nowMs: number): Promise<void> {
    if (this.#probing || nowMs - this.#probedMs < this.#options.probeEveryMs) return;
    this.#probing = true;
    this.#probedMs = nowMs;
    const sentMs = await this.#probe();
    this.#probing = false;
    if (sentMs === undefined) this.#lost();
    else this.#doubt = provedContact(this.#doubt, sentMs);
  }

  /** Ends the doubt once contact is proved and everything that came meanwhile is read. */
  async #recover(): Promise<void> {
    if (this.#recovering) return;
    this.#recovering = true;
    try {
      const sentMs = await this.#probe();
      if (sentMs === undefined) {
        this.#lost();
        return;
      }
      await this.#options.readToEnd();
      this.wake();
      this.#doubt = recovered(this.#doubt, sentMs, this.#options.limits);
      if (this.#doubt.doubt !== undefined) return;
      this.#toldLost = false;
      this.#options.doubtEnded();
    } catch (error) {
      this.#unreadable(error);
    } finally {
      this.#recovering = false;
    }
  }

  #unreadable(error: unknown): void {
    this.#options.logger.warn({ problem: messageOf(error) }, 'streams not readable');
    this.#lost();
  }

  #lost(): void {
    this.#become(lostContact(this.#doubt, this.#options.clock.monotonicMs()));
  }

  #become(next: SelfDoubt): void {
    const before = this.#doubt.doubt;
    this.#doubt = next;
    if (before === undefined && next.doubt !== undefined) this.#options.doubtBegan(next.doubt);
  }

  #tellLost(nowMs: number): void {
    const { alert, busOutageMaxMs, clock, logger, watchdogId } = this.#options;
    const lostForMs = nowMs - this.#doubt.contactMs;
    if (this.#doubt.doubt === undefined || this.#toldLost || lostForMs <= busOutageMaxMs) return;
    this.#toldLost = true;
    const summary = `watchdog ${watchdogId} has had no contact with the bus for ${Math.round(lostForMs)} ms`;
    const told = { kind: 'watchdog.bus_lost', severity: 'critical', summary, details: {}, wallMs: clock.wallMs() } as const;
    alertWithoutWaiting(alert, told, logger);
  }
}
