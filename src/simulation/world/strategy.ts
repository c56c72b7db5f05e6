/** A strategy that sends guarded orders all the time, whatever happens, and asks the venue for what it was not told. */
import type { StrategyBreakers } from '../../breakers/face.js';
import { BrokerRejectedError, BrokerUnavailableError, type OrderRequest } from '../../broker/broker.js';
import { busSource } from '../../killSwitch/busSource.js';
import { createKillSwitch } from '../../killSwitch/killSwitch.js';
import { createShutdownGate, type ShutdownGate } from '../../shutdownGate/gate.js';
import { guardOrderSubmission } from '../../shutdownGate/guard.js';
import { assembleTradingLease, type TradingLease } from '../../tradingLease/lease.js';
import { ACCOUNT, BROKER_TIMEOUT_MS, type OrderlyEnd, STRATEGY, type ToldOutcome } from './ground.js';
import type { RoleGround } from './roles.js';
import { timingsOf } from './timings.js';

const RESOLVE_EVERY_MS = 1_000;
/** Who is turned away does not knock on the next moment. */
const AFTER_REFUSAL_MS = 2_000;
const BELOW_MARKET = 80;
const MAX_RESTING = 4;
/** Behind the drain, for the goodbye of the lease: a bus that is gone must not keep the process. */
export const GOODBYE_MS = 1_500;

export class SimulatedStrategy {
  readonly gate: ShutdownGate;
  readonly #role: RoleGround;
  readonly #prefix: string;
  readonly #symbols: readonly string[];
  readonly #submit;
  readonly #cancel;
  readonly #resting: { readonly orderId: string; readonly symbol: string }[] = [];
  readonly #breakers: StrategyBreakers;
  readonly #lease: TradingLease;
  #number = 0;

  constructor(role: RoleGround, life: number) {
    const { ground, process, bus, broker, random } = role;
    const { clock, self } = process;
    const { parts, setup, kernel, observers } = ground;
    const { logger } = observers;
    this.#role = role;
    this.#prefix = `${process.name}-${life}`;
    this.#symbols = Object.keys(setup.positions);
    this.gate = createShutdownGate({ clock, logger });
    this.gate.protocol.onResolved(observers.listen);
    const { lease: leaseTimings, maxStalenessMs } = timingsOf(setup);
    this.#breakers = parts.breakers(STRATEGY, { bus, clock, random, logger, maxStalenessMs });
    this.#breakers.onEvent(observers.listen);
    this.#breakers.onEvent(({ type }) => {
      if (type === 'tripped') ground.trips.push({ atMs: kernel.nowMs, holder: this.#prefix });
    });
    this.#lease = assembleTradingLease(
      {
        bus,
        account: ACCOUNT,
        inflight: parts.inflight(this.gate),
        brokerTimeoutMs: BROKER_TIMEOUT_MS,
        ...leaseTimings,
        clock,
        random,
        logger,
        self,
        holderId: this.#prefix,
      },
      parts.lease,
    );
    const door = {
      gate: this.gate,
      lease: parts.permission(this.#lease, bus, clock),
      brokerTimeoutMs: BROKER_TIMEOUT_MS,
      breakers: parts.breakerPermission(this.#breakers),
      ...(setup.killSwitch && parts.killSwitch
        ? { killSwitch: createKillSwitch({ sources: [busSource(bus)], maxStalenessMs, clock, logger }) }
        : {}),
      observe: observers.listen,
    };
    const submit = parts.send((order) => broker.submit(order), { clock, observers });
    const send = (order: OrderRequest) => {
      const { clientOrderId } = order;
      ground.sent.push({ atMs: kernel.nowMs, process: process.name, holder: this.#prefix, clientOrderId, intent: 'increase' });
      return submit(order);
    };
    this.#submit = guardOrderSubmission(
      (order: OrderRequest) => (parts.sendDelayMs > 0 ? clock.sleep(parts.sendDelayMs).then(() => send(order)) : send(order)),
      { ...door, label: (order) => order.clientOrderId, outcomeOf: parts.outcomeOf },
    );
    this.#cancel = guardOrderSubmission((order: { readonly orderId: string; readonly symbol: string }) => broker.cancel(order), {
      ...door,
      intent: 'cancel',
    });
  }

  async run(): Promise<void> {
    const { ground, process } = this.#role;
    const everyMs = 1_000 / ground.setup.ordersPerS;
    for (;;) {
      const admitted = this.#attempt(this.#nextOrder());
      await process.clock.sleep(admitted ? everyMs : Math.max(everyMs, AFTER_REFUSAL_MS));
    }
  }

  /** As on SIGTERM: no further order, a drain, a goodbye, and the end of the process. */
  async end(): Promise<void> {
    if (this.gate.requested) return;
    const { ground, process } = this.#role;
    const { kernel, parts } = ground;
    const end: OrderlyEnd = { holder: this.#prefix, askedMs: kernel.nowMs };
    ground.ends.push(end);
    this.gate.requestShutdown('SIGTERM');
    const { drainTimeoutMs } = parts;
    const { unfinished } = await this.gate.waitForInflightZero(drainTimeoutMs === undefined ? {} : { timeoutMs: drainTimeoutMs });
    end.ended = { atMs: kernel.nowMs, unfinished: unfinished.map(({ label }) => label) };
    await Promise.race([this.#lease.close(), process.clock.sleep(GOODBYE_MS)]);
    process.kill();
  }

  /** It has run away: so many orders at once. */
  burst(count: number): void {
    for (let sent = 0; sent < count; sent += 1) this.#attempt(this.#nextOrder());
  }

  #nextOrder(): OrderRequest {
    const { restingEvery } = this.#role.ground.setup;
    const number = this.#number++;
    const symbol = this.#symbols[number % this.#symbols.length] ?? '';
    const clientOrderId = `${this.#prefix}-${number}`;
    const rests = restingEvery > 0 && number % restingEvery === 0;
    const side = rests || this.#role.random.below(2) === 0 ? 'buy' : 'sell';
    const [positionSide, quantity, reduceOnly] = ['net', 1, false] as const;
    return rests
      ? { clientOrderId, symbol, positionSide, side, type: 'limit', quantity, reduceOnly, limitPrice: BELOW_MARKET }
      : { clientOrderId, symbol, positionSide, side, type: 'market', quantity, reduceOnly };
  }

  /** True: the order passed the door. */
  #attempt(order: OrderRequest): boolean {
    const oldest = this.#resting.length > MAX_RESTING ? this.#resting.shift() : undefined;
    if (oldest !== undefined) this.#cancelOne(oldest);
    this.#breakers.recordOrder({ symbol: order.symbol, side: order.side, quantity: order.quantity });
    const admission = this.#submit.trySubmit(order);
    if (!admission.ok) return false;
    admission.outcome.then(
      (report) => {
        this.#told(order, 'reported');
        if (report.status === 'working') this.#resting.push({ orderId: report.orderId, symbol: order.symbol });
      },
      (error: unknown) => {
        this.#told(order, howOf(error));
        if (!(error instanceof BrokerRejectedError)) void this.#resolve(admission.entryId, order);
      },
    );
    return true;
  }

  #told({ clientOrderId }: OrderRequest, how: ToldOutcome['how']): void {
    const { ground } = this.#role;
    ground.told.push({ atMs: ground.kernel.nowMs, clientOrderId, how });
  }

  #cancelOne(order: { readonly orderId: string; readonly symbol: string }): void {
    const { ground } = this.#role;
    const admission = this.#cancel.trySubmit(order);
    if (admission.ok) admission.outcome.catch(() => undefined);
    else ground.refusedCancels.push({ atMs: ground.kernel.nowMs, code: admission.code });
  }

  /** Never sent again: the venue is asked until it says what became of the order. */
  async #resolve(entryId: number, order: OrderRequest): Promise<void> {
    const { broker, process } = this.#role;
    for (;;) {
      await process.clock.sleep(RESOLVE_EVERY_MS);
      const answer = await broker.orderByClientId(order.symbol, order.clientOrderId).catch(() => undefined);
      if (answer?.found !== true) continue;
      this.gate.resolve(entryId, 'acknowledged', { by: 'query' });
      return;
    }
  }
}

function howOf(error: unknown): ToldOutcome['how'] {
  if (error instanceof BrokerRejectedError) return 'rejected';
  return error instanceof BrokerUnavailableError ? 'unknown' : 'other';
}
