/** Drives the venue's pure engine by hand: its own time, its own answers. */
import type { z } from 'zod';
import { submitRequest, switchesPatch, type VenueEvent, type VenueSwitchesPatch } from '../../src/brokers/paper/wire.js';
import { type Bar, FLAT_BARS } from '../../src/venue/bars.js';
import { patchSwitches, seedPositions } from '../../src/venue/engine/administration.js';
import { controlReplay } from '../../src/venue/engine/market.js';
import { createVenueState, type Sender, type VenueAnswer, type VenueCommand } from '../../src/venue/engine/state.js';
import { toUnits } from '../../src/venue/engine/units.js';
import { advance, nextDueMs, receive } from '../../src/venue/engine/venue.js';

type OrderInput = Partial<z.input<typeof submitRequest>>;

export class EngineDriver {
  nowMs = 1_000;
  readonly state;
  readonly answers = new Map<number, VenueAnswer>();

  constructor(switches: VenueSwitchesPatch = {}, bars: readonly Bar[] = FLAT_BARS) {
    this.state = createVenueState({ environment: 'paper', accounts: ['a'], bars });
    this.patch(switches);
  }

  patch(switches: VenueSwitchesPatch): void {
    patchSwitches(this.state, switchesPatch.parse(switches), this.nowMs);
    this.#settle();
  }

  seed(symbol: string, quantity: number, positionSide: 'net' | 'long' | 'short' = 'net'): void {
    seedPositions(this.state, { account: 'a', positions: [{ symbol, quantity, positionSide }] }, this.nowMs);
  }

  send(command: VenueCommand, sender: Sender = { source: 'test' }): number {
    const requestId = receive(this.state, command, sender, this.nowMs);
    this.#settle();
    return requestId;
  }

  submit(order: OrderInput = {}, sender?: Sender): number {
    const whole = submitRequest.parse({ account: 'a', symbol: 'AAPL', side: 'buy', type: 'market', quantity: 1, ...order });
    return this.send({ kind: 'submit', order: whole }, sender);
  }

  /** Submits where an answer is due at once. */
  submitted(order: OrderInput = {}, sender?: Sender): VenueAnswer {
    return this.answer(this.submit(order, sender));
  }

  cancelled(orderId: string, symbol = 'AAPL'): VenueAnswer {
    return this.answer(this.send({ kind: 'cancel', cancel: { account: 'a', symbol, orderId } }));
  }

  answer(requestId: number): VenueAnswer {
    const answer = this.answers.get(requestId);
    if (answer === undefined) throw new Error(`request ${requestId} has no answer`);
    return answer;
  }

  /** The position as the venue answers it; 0 if it names none. */
  position(symbol = 'AAPL', positionSide = 'net'): number {
    const answer = this.answer(this.send({ kind: 'positions', account: 'a' }));
    if (answer.kind !== 'positions') throw new Error(`positions: ${answer.kind}`);
    return answer.positions.find((held) => held.symbol === symbol && held.positionSide === positionSide)?.quantity ?? 0;
  }

  openOrders(): readonly string[] {
    const answer = this.answer(this.send({ kind: 'orders', account: 'a' }));
    if (answer.kind !== 'orders') throw new Error(`orders: ${answer.kind}`);
    return answer.orders.map(({ orderId }) => orderId);
  }

  query(clientOrderId: string, symbol = 'AAPL'): VenueAnswer {
    return this.answer(this.send({ kind: 'order', account: 'a', symbol, clientOrderId }));
  }

  wait(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (let dueMs = nextDueMs(this.state); dueMs !== undefined && dueMs <= untilMs; dueMs = nextDueMs(this.state)) {
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.#settle();
    }
    this.nowMs = untilMs;
  }

  /** Time passes at once, as in a process that was stopped: whatever became due meanwhile happens late. */
  stall(byMs: number): void {
    this.nowMs += byMs;
    this.#settle();
  }

  step(by = 1): void {
    controlReplay(this.state, { action: 'step', by }, this.nowMs);
    this.#settle();
  }

  events<K extends VenueEvent['kind']>(kind: K): Extract<VenueEvent, { kind: K }>[] {
    return this.state.events.filter((event): event is Extract<VenueEvent, { kind: K }> => event.kind === kind);
  }

  #settle(): void {
    for (const { requestId, answer } of advance(this.state, this.nowMs)) this.answers.set(requestId, answer);
  }
}

/** Signed units of a fill. */
export function signedUnits(fill: { readonly side: 'buy' | 'sell'; readonly quantity: number }): number {
  return (fill.side === 'buy' ? 1 : -1) * toUnits(fill.quantity);
}
