/** The paper venue's engine behind the broker port, in this process and on any clock: every switch, no sockets. */
import {
  type Broker,
  type BrokerCapabilities,
  BrokerRejectedError,
  BrokerUnavailableError,
  type OrderReport,
  type OrderRequest,
} from '../../src/broker/broker.js';
import type { VenueEvent, VenueSwitchesPatch } from '../../src/brokers/paper/index.js';
import { seedRequest, switchesPatch } from '../../src/brokers/paper/wire.js';
import type { Clock } from '../../src/clock.js';
import { FLAT_BARS } from '../../src/venue/bars.js';
import { patchSwitches, seedPositions } from '../../src/venue/engine/administration.js';
import { controlReplay } from '../../src/venue/engine/market.js';
import { createVenueState, type VenueAnswer, type VenueCommand } from '../../src/venue/engine/state.js';
import { fromUnits } from '../../src/venue/engine/units.js';
import { createVenueRuntime } from '../../src/venue/runtime.js';

export interface SeededPosition {
  readonly symbol: string;
  readonly quantity: number;
  readonly positionSide?: 'net' | 'long' | 'short';
}

export interface BrokerLine {
  readonly account?: string;
  readonly timeoutMs?: number;
  /** How long the next order is on its way; it arrives even if its sender has died or given up meanwhile. */
  readonly orderTransitMs?: () => number;
}

export interface SimulatedVenue {
  broker(source: string, options?: BrokerLine): Broker;
  set(patch: VenueSwitchesPatch): void;
  seed(positions: readonly SeededPosition[], account?: string): void;
  /** The price falls through every stop that sells. */
  fall(): void;
  events(): readonly VenueEvent[];
  /** Signed quantities by `symbol/side`. */
  positions(account?: string): ReadonlyMap<string, number>;
  openOrders(account?: string): number;
  readonly nowMs: () => number;
}

type Runtime = ReturnType<typeof createVenueRuntime>;

interface Line {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly source: string;
  readonly timeoutMs: number;
}

function ask({ runtime, clock, source, timeoutMs }: Line, command: VenueCommand, transitMs: number, signal?: AbortSignal) {
  return new Promise<VenueAnswer>((resolve, reject) => {
    const end = (settle: () => void) => {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const fail = (why: string) => end(() => reject(new BrokerUnavailableError(why)));
    const abort = () => fail('aborted');
    const timer = clock.setTimer(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`), { keepAlive: false });
    signal?.addEventListener('abort', abort, { once: true });
    const sender = { source, sentMs: clock.monotonicMs() };
    const arrive = () =>
      runtime.request(command, sender, (answer) => {
        if (answer.kind !== 'silence') end(() => resolve(answer));
      });
    if (transitMs > 0) clock.setTimer(transitMs, arrive);
    else arrive();
  });
}

function unexpected(answer: VenueAnswer): Error {
  if (answer.kind === 'rejected') return new BrokerRejectedError(answer.reason, answer.detail);
  return new BrokerUnavailableError('detail' in answer ? answer.detail : answer.kind);
}

function brokerOf(line: Line, account: string, orderTransitMs: () => number): Broker {
  const call = (command: VenueCommand, signal?: AbortSignal, transitMs = 0) => ask(line, command, transitMs, signal);
  const accountInfo = async (signal?: AbortSignal) => {
    const answer = await call({ kind: 'account', account }, signal);
    if (answer.kind !== 'account') throw unexpected(answer);
    return answer.account;
  };
  return {
    async identity(signal) {
      const found = await accountInfo(signal);
      return { account: found.account, environment: found.environment };
    },
    async capabilities(signal): Promise<BrokerCapabilities> {
      const found = await accountInfo(signal);
      return {
        reduceOnly: found.reduceOnly,
        clientOrderIds: found.clientOrderIds,
        ...(found.orderExpiryMs === undefined ? {} : { orderExpiryMs: found.orderExpiryMs }),
        readLagMs: found.readLagMs,
        minQuantity: (symbol) => found.minQuantities[symbol] ?? found.defaultMinQuantity,
      };
    },
    async positions(signal) {
      const answer = await call({ kind: 'positions', account }, signal);
      if (answer.kind !== 'positions') throw unexpected(answer);
      return answer.positions;
    },
    async openOrders(signal) {
      const answer = await call({ kind: 'orders', account }, signal);
      if (answer.kind !== 'orders') throw unexpected(answer);
      return answer.orders;
    },
    async submit(order: OrderRequest, signal): Promise<OrderReport> {
      const answer = await call({ kind: 'submit', order: { account, ...order } }, signal, orderTransitMs());
      if (answer.kind !== 'report') throw unexpected(answer);
      return answer.report;
    },
    async cancel({ orderId, symbol }, signal) {
      const answer = await call({ kind: 'cancel', cancel: { account, symbol, orderId } }, signal);
      if (answer.kind !== 'cancel') throw unexpected(answer);
      return answer.result;
    },
    async orderByClientId(symbol, clientOrderId, signal) {
      const answer = await call({ kind: 'order', account, symbol, clientOrderId }, signal);
      if (answer.kind !== 'query') throw unexpected(answer);
      return answer.report === undefined ? { found: false } : { found: true, report: answer.report };
    },
    close: () => Promise.resolve(),
  };
}

const FALLEN = { openMs: 1, open: 100, high: 100, low: 1, close: 1, volume: 0 };

export function createSimulatedVenue(clock: Clock, accounts: readonly string[] = ['default']): SimulatedVenue {
  const runtime = createVenueRuntime(createVenueState({ environment: 'paper', accounts, bars: [...FLAT_BARS, FALLEN] }), clock);
  return {
    broker: (source, { account = 'default', timeoutMs = 5_000, orderTransitMs = () => 0 } = {}) =>
      brokerOf({ runtime, clock, source, timeoutMs }, account, orderTransitMs),
    set: (patch) => runtime.administer((state, nowMs) => patchSwitches(state, switchesPatch.parse(patch), nowMs)),
    seed: (positions, account = 'default') =>
      runtime.administer((state, nowMs) => seedPositions(state, seedRequest.parse({ account, positions }), nowMs)),
    fall: () => void runtime.administer((state, nowMs) => controlReplay(state, { action: 'step', by: 1 }, nowMs)),
    events: () => runtime.state.events,
    positions: (account = 'default') =>
      new Map(
        [...(runtime.state.accounts.get(account)?.positions.values() ?? [])].map((held) => [
          `${held.symbol}/${held.positionSide}`,
          fromUnits(held.units),
        ]),
      ),
    openOrders: (account = 'default') => runtime.state.accounts.get(account)?.open.size ?? 0,
    nowMs: () => clock.monotonicMs(),
  };
}
