/** The deliveries of an incident's panics: kept while it is worked on, acknowledged when they are answered, handed back where not. */
import { BusUnavailableError, type Delivery } from '../bus/bus.js';
import type { Clock } from '../clock.js';

interface Held {
  readonly delivery: Delivery;
  readonly eventId: string;
}

export class HeldDeliveries {
  #held: Held[] = [];

  add(delivery: Delivery, eventId: string): void {
    this.#held.push({ delivery, eventId });
  }

  /** Losing one to another worker is harmless: the claim on the incident decides who acts. */
  renew(): void {
    for (const { delivery } of this.#held) delivery.renew().catch(() => false);
  }

  /** Whoever takes them up next need not wait until our hold on them grows old. */
  async handBack(): Promise<void> {
    for (const { delivery } of this.#held.splice(0)) await delivery.release().catch(() => undefined);
  }

  /** Keeps those of these panics only. */
  async handBackAllBut(eventIds: readonly string[]): Promise<void> {
    const others = this.#held.filter(({ eventId }) => !eventIds.includes(eventId));
    this.#held = this.#held.filter(({ eventId }) => eventIds.includes(eventId));
    for (const { delivery } of others) await delivery.release().catch(() => undefined);
  }

  /** Tries until the bus has taken each, or `signal` aborts. */
  async acknowledge(clock: Clock, pollMs: number, signal: AbortSignal): Promise<void> {
    while (this.#held.length > 0 && !signal.aborted) {
      try {
        await this.#held[0]?.delivery.ack();
        this.#held.shift();
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) throw error;
        await clock.sleep(pollMs, signal);
      }
    }
  }
}
