/** Takes protective stops away right before the close of their position, and puts them back if the close is refused. */
import type { BrokerCapabilities, WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { derivedId } from '../random.js';
import { type BookReading, type LegKey, legKey, orderKey } from './book.js';
import type { ExitLedger } from './ledger.js';
import { sameQuantity } from './legs.js';
import type { CloseStep } from './plan.js';
import type { VenueCalls } from './venueCalls.js';

/** One failed reading must not send the stops back and begin everything again. */
const REREAD_TRIES = 3;

export interface StopsContext {
  readonly calls: VenueCalls;
  readonly clock: Clock;
  readonly ledger: ExitLedger;
  readonly reread: () => Promise<BookReading>;
  /** True when the venue confirmed that this cancel ended the order. */
  readonly cancel: (order: WorkingOrder) => Promise<boolean>;
}

export class ProtectiveStops {
  readonly #context: StopsContext;
  /** Taken away and not put back: also over rounds, because a withdrawal may be interrupted half-way. */
  readonly #withdrawn = new Map<LegKey, readonly WorkingOrder[]>();
  readonly #steps = new Map<LegKey, CloseStep>();

  constructor(context: StopsContext) {
    this.#context = context;
  }

  /** True when every stop was surely ended by us and the position is still what the close was planned for. */
  async withdraw(step: CloseStep, capabilities: BrokerCapabilities): Promise<boolean> {
    if (step.stops.length === 0) return true;
    const { clock, ledger, cancel, reread } = this.#context;
    for (const stop of step.stops) {
      // A stop that has ended by itself may have fired: the position is read again before anything is sold.
      if (!ledger.mayAct() || !(await cancel(stop))) return false;
      this.#withdrawn.set(step.leg.key, [...this.#of(step), stop]);
      this.#steps.set(step.leg.key, step);
    }
    await clock.sleep(capabilities.readLagMs);
    let reading = await reread();
    for (let tries = 1; !reading.ok && tries < REREAD_TRIES && ledger.mayAct(); tries++) reading = await reread();
    if (!reading.ok) {
      await this.restore(step, capabilities);
      return false;
    }
    const position = reading.book.positions.find((candidate) => legKey(candidate) === step.leg.key);
    return position !== undefined && sameQuantity(position.quantity, step.positionQuantity);
  }

  /** The exit ends before its time: a position that it will not close any more gets back what protected it, if it surely is there. */
  async giveBack(capabilities: BrokerCapabilities, mayStillClose: (key: LegKey) => boolean): Promise<void> {
    for (const step of this.#steps.values()) {
      if (this.#of(step).length === 0 || mayStillClose(step.leg.key)) continue;
      const reading = await this.#context.reread();
      if (reading.ok) await this.restore(step, capabilities, reading);
    }
  }

  /** A position whose close was refused must not stand without the protection it had; one that is gone must not get a stop. */
  async restore(step: CloseStep, capabilities: BrokerCapabilities, read?: BookReading): Promise<void> {
    const stops = this.#of(step);
    if (stops.length === 0) return;
    const reading = read ?? (await this.#context.reread());
    const position = reading.ok
      ? reading.book.positions.find((candidate) => legKey(candidate) === step.leg.key)
      : { quantity: step.positionQuantity };
    const largest =
      position !== undefined && Math.sign(position.quantity) === Math.sign(step.positionQuantity) ? Math.abs(position.quantity) : 0;
    const kept: WorkingOrder[] = [];
    for (const stop of largest > 0 ? stops : []) {
      if (!(await this.#putBack(step, stop, largest, capabilities))) kept.push(stop);
    }
    this.#withdrawn.set(step.leg.key, kept);
  }

  /** False: it surely is not there, or may be sent again without standing there twice. */
  async #putBack(step: CloseStep, stop: WorkingOrder, largest: number, capabilities: BrokerCapabilities): Promise<boolean> {
    const { calls, ledger } = this.#context;
    if (!ledger.mayAct()) return false;
    const clientOrderId = `${ledger.orderPrefix}-s${derivedId(orderKey(stop)).slice(0, 8)}`;
    const { symbol, positionSide, side, type, quantity, filledQuantity, reduceOnly, limitPrice, stopPrice } = stop;
    const answer = await calls.submit({
      clientOrderId,
      symbol,
      positionSide,
      side,
      type,
      quantity: Math.min(quantity - filledQuantity, largest),
      reduceOnly,
      ...(limitPrice === undefined ? {} : { limitPrice }),
      ...(stopPrice === undefined ? {} : { stopPrice }),
    });
    ledger.note('exit.stop_restored', answer.kind, { symbol: step.leg.symbol, clientOrderId });
    if (answer.kind === 'rejected') return answer.reason === 'duplicate_client_order_id';
    return answer.kind === 'report' || capabilities.clientOrderIds !== 'forever';
  }

  #of(step: CloseStep): readonly WorkingOrder[] {
    return this.#withdrawn.get(step.leg.key) ?? [];
  }
}
