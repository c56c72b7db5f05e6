/** Carries out the planned steps: cancels, questions, and closes that are written down before they are sent. */
import type { BrokerCapabilities, OrderReport, WorkingOrder } from '../broker/broker.js';
import type { Clock, Timer } from '../clock.js';
import type { BookReading, LegKey } from './book.js';
import { legKey } from './book.js';
import type { ExitLedger } from './ledger.js';
import { closeOrderId, type Leg, newLeg, sameQuantity, withGivenUp, withNotFound, withReport, withSent } from './legs.js';
import type { ExitTimings } from './options.js';
import type { ExitStep } from './plan.js';
import type { VenueCalls } from './venueCalls.js';

/** How an answer of the venue, or its absence, becomes the fate of an attempt. */
export interface LegSettlement {
  reported(leg: Leg, report: OrderReport, nowMs: number, nextQueryMs: number): Leg;
  /** Whether an attempt that the venue does not know of may be given up, re-sent under its own id, or only be asked for again. */
  unresolved(leg: Leg, capabilities: BrokerCapabilities, nowMs: number, brokerTimeoutMs: number): 'give_up' | 'resend' | 'ask_again';
}

export const intactSettlement: LegSettlement = {
  reported: withReport,
  unresolved(leg, capabilities, nowMs, brokerTimeoutMs) {
    if (leg.last === undefined || leg.last.fate.kind !== 'unknown' || leg.last.fate.notFound === 0) return 'ask_again';
    // The venue refuses a second order under this id for ever, so sending it again cannot double it.
    if (capabilities.clientOrderIds === 'forever') return 'resend';
    const ageMs = nowMs - leg.last.sentMs - capabilities.readLagMs;
    if (capabilities.orderExpiryMs !== undefined) return ageMs > capabilities.orderExpiryMs + brokerTimeoutMs ? 'give_up' : 'ask_again';
    return capabilities.reduceOnly === 'enforced' && ageMs > brokerTimeoutMs ? 'give_up' : 'ask_again';
  },
};

export interface CloseStepsContext {
  readonly calls: VenueCalls;
  readonly clock: Clock;
  readonly ledger: ExitLedger;
  readonly timings: ExitTimings;
  readonly settlement: LegSettlement;
  readonly reread: () => Promise<BookReading>;
  readonly update: (leg: Leg) => void;
  readonly leg: (key: LegKey) => Leg | undefined;
}

type CloseStep = Extract<ExitStep, { do: 'close' }>;

export class CloseSteps {
  readonly #context: CloseStepsContext;

  constructor(context: CloseStepsContext) {
    this.#context = context;
  }

  /** Waiting for a bounded call of the venue is progress, too. */
  keepClaim(): Timer {
    const { clock, ledger, timings } = this.#context;
    let current: Timer | undefined;
    const tick = () => {
      ledger.progressed();
      current = clock.setTimer(timings.claimMs / 4, tick, { keepAlive: false });
    };
    tick();
    return { cancel: () => current?.cancel() };
  }

  async carryOut(step: ExitStep, capabilities: BrokerCapabilities): Promise<void> {
    if (!this.#context.ledger.mayAct()) return;
    if (step.do === 'cancel') await this.#cancel(step.order);
    else if (step.do === 'query') await this.#query(step.leg, capabilities);
    else await this.#close(step, capabilities);
    this.#context.ledger.progressed();
  }

  async #cancel(order: WorkingOrder): Promise<boolean> {
    const { calls, clock, ledger, update, leg } = this.#context;
    const canceled = await calls.cancel(order);
    // It may have filled in part before it ended: only a reading asked for from now on shows the position.
    const key = legKey(order);
    const known = leg(key) ?? newLeg(order.symbol, order.positionSide);
    const { expectedQuantity: _moved, ...rest } = known;
    update({ ...rest, movedMs: clock.monotonicMs() });
    ledger.note('exit.cancel', canceled ? 'canceled' : 'not confirmed', { symbol: order.symbol, orderId: order.orderId });
    return canceled;
  }

  async #query(leg: Leg, capabilities: BrokerCapabilities): Promise<void> {
    const { calls, clock, timings, settlement, update } = this.#context;
    if (leg.last === undefined) return;
    const answer = await calls.query(leg.symbol, leg.last.clientOrderId);
    const nowMs = clock.monotonicMs();
    if (answer.kind === 'report') {
      this.#settle(leg, answer.report);
    } else if (answer.kind === 'failed') {
      update({ ...leg, last: { ...leg.last, fate: { kind: 'unknown', notFound: 0, nextQueryMs: nowMs + timings.pollMs } } });
    } else {
      const asked = withNotFound(leg, nowMs + timings.pollMs);
      const decision = settlement.unresolved(asked, capabilities, nowMs, timings.brokerTimeoutMs);
      if (decision === 'give_up') update(withGivenUp(asked, nowMs));
      else update(asked);
      if (decision === 'resend') await this.#resend(asked, capabilities);
    }
  }

  async #close(step: CloseStep, capabilities: BrokerCapabilities): Promise<void> {
    const { ledger, clock, timings, update, leg } = this.#context;
    if (step.stops.length > 0 && !(await this.#withdrawStops(step, capabilities.readLagMs))) return;
    const number = (step.leg.last?.number ?? 0) + 1;
    const clientOrderId = closeOrderId(ledger.orderPrefix, step.leg.key, number);
    const { symbol, positionSide } = step.leg;
    const durable = await ledger.recordAttempt({
      key: step.leg.key,
      symbol,
      positionSide,
      side: step.side,
      quantity: step.quantity,
      attempt: number,
      clientOrderId,
    });
    // Where the venue keeps ids for ever, a successor finds the order by its id even if the note was lost.
    if (!durable && capabilities.clientOrderIds !== 'forever') return;
    if (!ledger.mayAct()) return;
    const nowMs = clock.monotonicMs();
    const attempt = { number, clientOrderId, side: step.side, quantity: step.quantity, sentMs: nowMs };
    const sent = withSent(leg(step.leg.key) ?? step.leg, attempt, step.positionQuantity, nowMs + timings.pollMs);
    update(sent);
    ledger.note('exit.close_sent', `close ${step.positionQuantity} ${symbol}`, {
      symbol,
      positionSide,
      clientOrderId,
      quantity: step.quantity,
    });
    const rejected = await this.#send(sent, step.reduceOnly);
    if (rejected) await this.#restoreStops(step);
  }

  async #resend(leg: Leg, capabilities: BrokerCapabilities): Promise<void> {
    const { ledger, clock, timings, update } = this.#context;
    if (leg.last === undefined || !ledger.mayAct()) return;
    const nowMs = clock.monotonicMs();
    const again = {
      ...leg,
      last: { ...leg.last, sentMs: nowMs, fate: { kind: 'unknown', notFound: 0, nextQueryMs: nowMs + timings.pollMs } },
    } as const;
    update(again);
    ledger.note('exit.close_resent', 'not found at the venue', { symbol: leg.symbol, clientOrderId: leg.last.clientOrderId });
    await this.#send(again, capabilities.reduceOnly === 'enforced' && leg.positionSide === 'net');
  }

  /** True when the venue surely did not take the order. */
  async #send(leg: Leg, reduceOnly: boolean): Promise<boolean> {
    const { calls, clock, ledger, update } = this.#context;
    if (leg.last === undefined) return false;
    const { clientOrderId, side, quantity } = leg.last;
    const order = {
      clientOrderId,
      symbol: leg.symbol,
      positionSide: leg.positionSide,
      side,
      type: 'market',
      quantity,
      reduceOnly,
    } as const;
    const answer = await calls.submit(order);
    if (answer.kind === 'report') {
      this.#settle(leg, answer.report);
      return false;
    }
    if (answer.kind === 'unknown' || answer.reason === 'duplicate_client_order_id') {
      // A duplicate means that this very order is at the venue already: ask what became of it.
      ledger.note('exit.close_unknown', answer.detail, { symbol: leg.symbol, clientOrderId });
      return false;
    }
    const nowMs = clock.monotonicMs();
    const report = { orderId: '', clientOrderId, status: 'rejected', filledQuantity: 0, reason: answer.reason } as const;
    const settled = withReport(leg, report, nowMs, nowMs);
    update({ ...settled, blockedUntilMs: nowMs + this.#backoffMs(settled) });
    ledger.note('exit.close_rejected', answer.detail, { symbol: leg.symbol, clientOrderId, reason: answer.reason });
    return true;
  }

  #backoffMs(leg: Leg): number {
    return Math.min(this.#context.timings.rejectionBackoffMs * 2 ** Math.min(Math.max(leg.rejections - 1, 0), 10), 1_000);
  }

  #settle(leg: Leg, report: OrderReport): void {
    const { clock, timings, ledger, settlement, update } = this.#context;
    const nowMs = clock.monotonicMs();
    const settled = settlement.reported(leg, report, nowMs, nowMs + timings.pollMs);
    const unfilled = settled.last?.fate.kind === 'terminal' && settled.last.fate.filledQuantity === 0;
    update(unfilled ? { ...settled, blockedUntilMs: nowMs + this.#backoffMs(settled) } : settled);
    if (settled.last?.fate.kind !== 'terminal') return;
    const { filledQuantity, status } = settled.last.fate;
    ledger.note('exit.close_settled', status, { symbol: leg.symbol, clientOrderId: settled.last.clientOrderId, filledQuantity });
  }

  /** True when every stop was surely ended by us and the position is still what the close was planned for. */
  async #withdrawStops(step: CloseStep, readLagMs: number): Promise<boolean> {
    for (const stop of step.stops) if (!(await this.#cancel(stop))) return false;
    await this.#context.clock.sleep(readLagMs);
    const reading = await this.#context.reread();
    if (!reading.ok) return this.#giveStopsBack(step);
    const position = reading.book.positions.find((candidate) => legKey(candidate) === step.leg.key);
    return position !== undefined && sameQuantity(position.quantity, step.positionQuantity);
  }

  async #giveStopsBack(step: CloseStep): Promise<false> {
    await this.#restoreStops(step);
    return false;
  }

  /** A position whose close was refused must not stand without the protection it had. */
  async #restoreStops(step: CloseStep): Promise<void> {
    const { calls, ledger } = this.#context;
    for (const [index, stop] of step.stops.entries()) {
      const clientOrderId = `${closeOrderId(ledger.orderPrefix, step.leg.key, (step.leg.last?.number ?? 0) + 1)}-stop${index}`;
      const { symbol, positionSide, side, type, quantity, filledQuantity, reduceOnly, limitPrice, stopPrice } = stop;
      const answer = await calls.submit({
        clientOrderId,
        symbol,
        positionSide,
        side,
        type,
        quantity: quantity - filledQuantity,
        reduceOnly,
        ...(limitPrice === undefined ? {} : { limitPrice }),
        ...(stopPrice === undefined ? {} : { stopPrice }),
      });
      ledger.note('exit.stop_restored', answer.kind, { symbol, clientOrderId });
    }
  }
}
