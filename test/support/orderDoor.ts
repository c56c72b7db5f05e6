/** Every answer of an order door, asked over and over in real time. */
import { systemClock } from '../../src/clock.js';
import type { TradingLease } from '../../src/tradingLease/lease.js';

export class OrderDoor {
  readonly #lease: TradingLease;
  permitted = 0;
  asked = 0;
  #open = true;

  constructor(lease: TradingLease) {
    this.#lease = lease;
    this.#ask();
  }

  #ask(): void {
    if (!this.#open) return;
    this.asked += 1;
    if (this.#lease.check(systemClock.monotonicMs(), 'increase') === undefined) this.permitted += 1;
    systemClock.setTimer(5, () => this.#ask());
  }

  close(): void {
    this.#open = false;
  }
}
