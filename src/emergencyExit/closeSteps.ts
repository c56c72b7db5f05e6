/** Carries out the planned steps: cancels, questions, and closes that are written down before they are sent. */
import type { BrokerCapabilities, BrokerRejectedError, OrderReport, WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { type BookReading, type LegKey, legKey } from './book.js';
import type { ExitLedger } from './ledger.js';
import {
  closeOrderId,
  isOutstanding,
  type Leg,
  newLeg,
  withGivenUp,
  withNotFound,
  withQueryFailed,
  withReport,
  withResendRejected,
  withSent,
} from './legs.js';
import type { ExitTimings } from './options.js';
import type { CloseStep, ExitStep } from './plan.js';
import { ProtectiveStops } from './stops.js';
import type { VenueCalls } from './venueCalls.js';

/** How an answer of the venue, or its absence, becomes the fate of an attempt. */
export interface LegSettlement {
  reported(leg: Leg, report: OrderReport, nowMs: number, nextQueryMs: number): Leg;
  /** Whether an attempt that the venue does not know of may be given up, re-sent under its own id, or only be asked for again. */
  unresolved(leg: Leg, capabilities: BrokerCapabilities, nowMs: number, brokerTimeoutMs: number): 'give_up' | 'resend' | 'ask_again';
  /** Whether a refusal is the end of the attempt. `again`: the same may have been sent before, by this worker or by a predecessor. */
  endedByRefusal(reason: BrokerRejectedError['reason'], sent: 'once' | 'again'): boolean;
}

export const intactSettlement: LegSettlement = {
  reported: withReport,
  unresolved(leg, capabilities, nowMs, brokerTimeoutMs) {
    if (leg.last === undefined || leg.last.fate.kind !== 'unknown' || leg.last.fate.notFound === 0) return 'ask_again';
    const ageMs = nowMs - leg.last.sentMs - capabilities.readLagMs;
    if (capabilities.orderExpiryMs !== undefined && ageMs > capabilities.orderExpiryMs + brokerTimeoutMs) return 'give_up';
    // The venue refuses a second order under this id for ever, so sending it again cannot double it.
    if (capabilities.clientOrderIds === 'forever') return 'resend';
    if (capabilities.orderExpiryMs !== undefined) return 'ask_again';
    return capabilities.reduceOnly === 'enforced' && ageMs > brokerTimeoutMs ? 'give_up' : 'ask_again';
  },
  // Of an order that was sent again, the message before may still be on its way: harmless only with nothing left to reduce.
  endedByRefusal: (reason, sent) => sent === 'once' || reason === 'reduce_only',
};

export interface CloseStepsContext {
  readonly calls: VenueCalls;
  readonly clock: Clock;
  readonly ledger: ExitLedger;
  readonly timings: ExitTimings;
  readonly settlement: LegSettlement;
  /** Aborts when the exit ends: a step that was planned before and has not begun does not begin any more. */
  readonly signal: AbortSignal;
  readonly reread: () => Promise<BookReading>;
  readonly update: (leg: Leg) => void;
  readonly leg: (key: LegKey) => Leg | undefined;
}

interface WrittenDown {
  readonly number: number;
  readonly clientOrderId: string;
  readonly durable: Promise<boolean>;
}

export class CloseSteps {
  readonly #context: CloseStepsContext;
  readonly #prepared = new Map<LegKey, WrittenDown & { readonly step: CloseStep }>();
  readonly #stops: ProtectiveStops;

  constructor(context: CloseStepsContext) {
    this.#context = context;
    this.#stops = new ProtectiveStops({ ...context, cancel: (order) => this.#cancel(order) });
  }

  /** True when something was learned or sent; false when it should not be tried again at once. */
  async carryOut(step: Exclude<ExitStep, { do: 'cancel' }>, capabilities: BrokerCapabilities): Promise<boolean> {
    if (!this.#mayBegin()) return false;
    // It has waited for its turn while others were sent: what it was planned on may have moved, and nobody caps it.
    if (step.do === 'close' && !step.reduceOnly && this.#isOld(step.readMs)) return true;
    return step.do === 'query' ? this.#query(step, capabilities) : this.#close(step, capabilities);
  }

  /**
   * Writes down a close whose turn comes soon, while others are waited for. Only where the venue keeps ids for ever: there a
   * note of what was never sent costs a successor one question, and elsewhere a wait.
   */
  prepare(step: ExitStep | undefined, capabilities: BrokerCapabilities): void {
    if (step?.do !== 'close' || step.stops.length > 0 || capabilities.clientOrderIds !== 'forever' || !this.#mayBegin()) return;
    const written = this.#writeDown(step);
    // Its failure is met when its turn comes.
    written.durable.catch(() => undefined);
    this.#prepared.set(step.leg.key, { step, ...written });
  }

  /** True when the venue confirmed that it ended the order. */
  async cancel(order: WorkingOrder): Promise<boolean> {
    if (!this.#mayBegin()) return false;
    return this.#cancel(order);
  }

  /** For an exit that ends before its time, while its claim still holds. */
  async giveBackStops(capabilities: BrokerCapabilities): Promise<void> {
    const { leg } = this.#context;
    await this.#stops.giveBack(capabilities, (key) => {
      const known = leg(key);
      return known !== undefined && isOutstanding(known);
    });
  }

  #mayBegin(): boolean {
    const { ledger, signal } = this.#context;
    return !signal.aborted && ledger.mayAct();
  }

  #isOld(readMs: number): boolean {
    const { clock, timings } = this.#context;
    return clock.monotonicMs() - readMs > timings.readTimeoutMs;
  }

  async #cancel(order: WorkingOrder): Promise<boolean> {
    const { calls, clock, ledger, update, leg } = this.#context;
    const canceled = await calls.cancel(order);
    // It may have filled in part before it ended: only a reading asked for from now on shows the position.
    const key = legKey(order);
    const known = leg(key) ?? newLeg(order.symbol, order.positionSide);
    const { expectedQuantity: _moved, ...rest } = known;
    const movedMs = clock.monotonicMs();
    // One that had ended by itself, a stop that fired, has most likely filled.
    update({ ...rest, movedMs, ...(canceled ? {} : { unclearSinceMs: movedMs }) });
    ledger.note('exit.cancel', canceled ? 'canceled' : 'not confirmed', { symbol: order.symbol, orderId: order.orderId });
    return canceled;
  }

  async #query(step: Extract<ExitStep, { do: 'query' }>, capabilities: BrokerCapabilities): Promise<boolean> {
    const { calls, clock, timings, settlement, update, leg } = this.#context;
    const { symbol, key, last } = step.leg;
    if (last === undefined) return false;
    const answer = await calls.query(symbol, last.clientOrderId);
    const nowMs = clock.monotonicMs();
    // A cancel of the same round may have changed the leg meanwhile.
    const known = leg(key) ?? step.leg;
    if (answer.kind === 'report') {
      this.#settle(known, answer.report);
      return answer.report.status !== 'working';
    }
    if (answer.kind === 'failed') {
      update(withQueryFailed(known, nowMs + timings.pollMs));
      return false;
    }
    const asked = withNotFound(known, nowMs + timings.pollMs);
    const decision = settlement.unresolved(asked, capabilities, nowMs, timings.brokerTimeoutMs);
    update(decision === 'give_up' ? withGivenUp(asked, nowMs) : asked);
    if (decision === 'resend' && step.resendQuantity > 0) await this.#resend(asked, step.resendQuantity, capabilities);
    return decision === 'give_up';
  }

  async #close(step: CloseStep, capabilities: BrokerCapabilities): Promise<boolean> {
    const { ledger, clock, timings, update, leg } = this.#context;
    if (!(await this.#stops.withdraw(step, capabilities))) return false;
    const { key } = step.leg;
    const { side, quantity } = step;
    const prepared = this.#prepared.get(key);
    this.#prepared.delete(key);
    const { number, clientOrderId, durable: writing } = prepared?.step === step ? prepared : this.#writeDown(step);
    const durable = await writing;
    // Where the venue keeps ids for ever, a successor finds the order by its id even if the note was lost.
    if ((!durable && capabilities.clientOrderIds !== 'forever') || !this.#mayBegin()) {
      await this.#stops.restore(step, capabilities);
      return false;
    }
    const nowMs = clock.monotonicMs();
    const attempt = { number, clientOrderId, side, quantity, sentMs: nowMs };
    const sent = withSent(leg(key) ?? step.leg, attempt, step.positionQuantity, nowMs + timings.pollMs);
    update(sent);
    const before = ledger.mayBeRepeating && capabilities.clientOrderIds === 'forever' ? 'again' : 'once';
    if (await this.#send(sent, step.reduceOnly, before)) await this.#stops.restore(step, capabilities);
    return true;
  }

  #writeDown(step: CloseStep): WrittenDown {
    const { ledger } = this.#context;
    const { symbol, positionSide, key, last } = step.leg;
    const { side, quantity } = step;
    const number = (last?.number ?? 0) + 1;
    const clientOrderId = closeOrderId(ledger.orderPrefix, key, number);
    const note = { key, symbol, positionSide, side, quantity, attempt: number, clientOrderId };
    return { number, clientOrderId, durable: ledger.recordAttempt(note) };
  }

  async #resend(leg: Leg, quantity: number, capabilities: BrokerCapabilities): Promise<void> {
    const { ledger, clock, timings, update } = this.#context;
    if (leg.last === undefined || !this.#mayBegin()) return;
    const nowMs = clock.monotonicMs();
    const again = {
      ...leg,
      last: { ...leg.last, quantity, sentMs: nowMs, fate: { kind: 'unknown', notFound: 0, nextQueryMs: nowMs + timings.pollMs } },
    } as const;
    update(again);
    ledger.note('exit.close_resent', 'not found at the venue', { symbol: leg.symbol, clientOrderId: leg.last.clientOrderId });
    await this.#send(again, capabilities.reduceOnly === 'enforced' && leg.positionSide === 'net', 'again');
  }

  /** True when the venue surely did not take the order. */
  async #send(leg: Leg, reduceOnly: boolean, sent: 'once' | 'again'): Promise<boolean> {
    const { calls, ledger } = this.#context;
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
    this.#rejected(leg, answer.reason, sent);
    ledger.note('exit.close_rejected', answer.detail, { symbol: leg.symbol, clientOrderId, reason: answer.reason });
    return true;
  }

  #rejected(leg: Leg, reason: BrokerRejectedError['reason'], sent: 'once' | 'again'): void {
    const { clock, settlement, update } = this.#context;
    const nowMs = clock.monotonicMs();
    if (!settlement.endedByRefusal(reason, sent)) {
      const refused = withResendRejected(leg, reason);
      update(withQueryFailed(refused, nowMs + this.#backoffMs(refused)));
      return;
    }
    const report = { orderId: '', status: 'rejected', filledQuantity: 0, reason } as const;
    const settled = withReport(leg, report, nowMs, nowMs);
    update({ ...settled, blockedUntilMs: nowMs + this.#backoffMs(settled) });
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
}
