/** The drill's strategy: a process that sends guarded orders all the time and writes down each attempt. */
import type { Broker, OrderRequest } from '../../broker/broker.js';
import { createPaperBroker, createVenueClient, type VenueClient } from '../../brokers/paper/index.js';
import type { Bus } from '../../bus/bus.js';
import { openBus } from '../../bus/openBus.js';
import { type Clock, systemClock } from '../../clock.js';
import type { Permission } from '../../permission.js';
import { createShutdownGate, type ShutdownGate } from '../../shutdownGate/gate.js';
import { guardOrderSubmission } from '../../shutdownGate/guard.js';
import { createTradingLease, type TradingLease } from '../../tradingLease/lease.js';
import { DRILL_ORDERS, encodeOrderAttempt } from '../orderLog.js';

export interface StrategyConfig {
  readonly bus: string;
  /** Where each attempt is written down: also while the strategy itself is cut off from its bus. */
  readonly record: string;
  readonly venue: string;
  readonly account: string;
  readonly symbols: readonly string[];
  /** Shares bought of each symbol to begin with. */
  readonly quantity: number;
  readonly ordersPerS: number;
  /** Every so many orders, one is left resting below the market. 0: none. */
  readonly restingEvery: number;
  readonly brokerTimeoutMs: number;
  readonly lease: {
    readonly ttlMs: number;
    readonly peerLivenessMs: number;
    readonly suspendMaxMs: number;
    readonly drainPollMs: number;
  };
}

export interface StrategySeams {
  /** What stands at the order door in the lease's place. */
  readonly permission?: (bus: Bus, lease: TradingLease, clock: Clock) => Permission;
}

export async function runStrategy(
  config: StrategyConfig,
  signal: AbortSignal,
  onReady: () => void,
  seams: StrategySeams = {},
): Promise<void> {
  const clock = systemClock;
  const bus = await openBus(config.bus);
  const record = await openBus(config.record);
  const venue = createVenueClient(config.venue);
  const broker = createPaperBroker({ url: config.venue, account: config.account, source: 'strategy', timeoutMs: config.brokerTimeoutMs });
  const gate = createShutdownGate();
  const lease = createTradingLease({
    bus,
    account: config.account,
    inflight: gate,
    brokerTimeoutMs: config.brokerTimeoutMs,
    ...config.lease,
  });
  const permission = seams.permission?.(bus, lease, clock) ?? lease;
  try {
    await lease.ready;
    onReady();
    await new Trader(config, { record, broker, venue, gate, clock }, permission).run(signal);
    gate.requestShutdown('the drill is over');
    await gate.waitForInflightZero({ timeoutMs: config.brokerTimeoutMs + 500 });
  } finally {
    await lease.close();
    await broker.close();
    await venue.close();
    await bus.close();
    await record.close();
  }
}

interface TraderParts {
  readonly record: Bus;
  readonly broker: Broker;
  readonly venue: VenueClient;
  readonly gate: ShutdownGate;
  readonly clock: Clock;
}

class Trader {
  readonly #config: StrategyConfig;
  readonly #parts: TraderParts;
  readonly #submit;
  readonly #held = new Map<string, number>();
  #number = 0;
  #price = 0;
  #rising = true;
  #resting = 0;

  constructor(config: StrategyConfig, parts: TraderParts, permission: Permission) {
    this.#config = config;
    this.#parts = parts;
    this.#submit = guardOrderSubmission((order: OrderRequest) => parts.broker.submit(order), {
      gate: parts.gate,
      lease: permission,
      label: (order) => order.clientOrderId,
      brokerTimeoutMs: config.brokerTimeoutMs,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const prices = this.#followPrices(signal);
    const everyMs = 1_000 / this.#config.ordersPerS;
    for (let dueMs = clock.monotonicMs(); !signal.aborted; dueMs += everyMs) {
      this.#attempt(this.#nextOrder());
      await clock.sleep(Math.max(0, dueMs + everyMs - clock.monotonicMs()), signal);
    }
    await prices;
  }

  async #followPrices(signal: AbortSignal): Promise<void> {
    const { venue, clock } = this.#parts;
    let since = -1;
    while (!signal.aborted) {
      try {
        const answer = await venue.bars(since, { waitMs: 1_000, signal });
        for (const bar of answer.bars) {
          this.#rising = bar.close >= this.#price;
          this.#price = bar.close;
        }
        since = Math.max(since, answer.index);
      } catch {
        // A strategy without prices keeps its last view; what it may do is decided at the door.
        await clock.sleep(50, signal);
      }
    }
  }

  /** First the opening positions; then it follows the market by single shares, between half and one and a half of them. */
  #nextOrder(): OrderRequest {
    const { symbols, quantity, restingEvery } = this.#config;
    const number = this.#number++;
    const opening = symbols.find((symbol) => !this.#held.has(symbol));
    const symbol = opening ?? symbols[number % symbols.length] ?? '';
    const base = { clientOrderId: `drill-${process.pid}-${number}`, symbol, positionSide: 'net', reduceOnly: false } as const;
    if (opening !== undefined) return { ...base, side: 'buy', type: 'market', quantity };
    if (restingEvery > 0 && number % restingEvery === 0 && this.#price > 0 && this.#resting < 8) {
      this.#resting++;
      return {
        ...base,
        side: 'buy',
        type: 'limit',
        quantity: 1,
        limitPrice: Math.round(this.#price * (this.#resting % 2 === 0 ? 80 : 99)) / 100,
      };
    }
    const held = this.#held.get(symbol) ?? quantity;
    const side = held <= quantity / 2 ? 'buy' : held >= quantity * 1.5 ? 'sell' : this.#rising ? 'buy' : 'sell';
    return { ...base, side, type: 'market', quantity: 1 };
  }

  #attempt(order: OrderRequest): void {
    const { record, clock } = this.#parts;
    const atMs = clock.monotonicMs();
    const admission = this.#submit.trySubmit(order);
    const { clientOrderId } = order;
    const said = admission.ok
      ? ({ atMs, clientOrderId, result: 'admitted' } as const)
      : ({ atMs, clientOrderId, result: 'refused', code: admission.code } as const);
    void record.append(DRILL_ORDERS, encodeOrderAttempt(said));
    if (!admission.ok) return;
    if (order.type === 'market')
      this.#held.set(order.symbol, (this.#held.get(order.symbol) ?? 0) + (order.side === 'buy' ? order.quantity : -order.quantity));
    admission.outcome.catch(() => this.#resolve(admission.entryId, order));
  }

  /** Never sent again: the venue is asked until it says what became of the order. */
  async #resolve(entryId: number, order: OrderRequest): Promise<void> {
    const { broker, gate, clock } = this.#parts;
    for (let asked = 0; asked < 200 && gate.unknownOutcomes() > 0; asked++) {
      try {
        const answer = await broker.orderByClientId(order.symbol, order.clientOrderId);
        if (answer.found) {
          gate.resolve(entryId, 'acknowledged', { by: 'query' });
          return;
        }
      } catch {
        // No answer is no knowledge: asked again.
      }
      await clock.sleep(50);
    }
  }
}
