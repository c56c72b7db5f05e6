/** What a strategy under test is given, and how it is run as a process of a simulated world. */
import type { Broker, OrderReport, OrderRequest } from '../broker/broker.js';
import type { Bus } from '../bus/bus.js';
import type { Clock, Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Random } from '../random.js';
import { createShutdownGate, type ShutdownGate } from '../shutdownGate/gate.js';
import { type GuardedSubmit, guardOrderSubmission } from '../shutdownGate/guard.js';
import type { ExitPermit } from '../shutdownGate/protocol.js';
import { ACCOUNT, BROKER_TIMEOUT_MS } from '../simulation/world/ground.js';
import type { RoleGround } from '../simulation/world/roles.js';
import { timingsOf } from '../simulation/world/timings.js';
import { BAR_EVERY_MS } from '../simulation/world/world.js';
import { createTradingLease, type TradingLease } from '../tradingLease/lease.js';
import type { Bar } from '../venue/bars.js';

export interface StrategyTools {
  /** The only time there is: `clock.sleep` instead of `setTimeout`. */
  readonly clock: Clock;
  /** Already guarded by `gate` and `lease`. Or guard `broker.submit` yourself, as production code does. */
  readonly submit: GuardedSubmit<(order: OrderRequest) => Promise<OrderReport>>;
  readonly broker: Broker;
  readonly bus: Bus;
  readonly gate: ShutdownGate;
  readonly lease: TradingLease;
  readonly account: string;
  /** The market's bars from now on, one a second. */
  readonly bars: () => AsyncIterable<Bar>;
  readonly random: Random;
  /** Aborts at the end of the check; by {@link STOP_MS} later the strategy must have returned, with no timer left. */
  readonly signal: AbortSignal;
  /** Counts the lives of the process: 1, and one more after each crash. */
  readonly life: number;
}

export type StrategyUnderTest = (tools: StrategyTools) => unknown;

/** How long the strategy has to return once it is told to. */
export const STOP_MS = 5_000;
/** More calls than this without time going on: the strategy never yields. */
const MAX_CALLS_AT_ONE_TIME = 50_000;

export class StrategyNeverYieldsError extends Error {}

/** One life of the strategy under test. */
export class StrategyLife {
  readonly stopping = new AbortController();
  readonly #role: RoleGround;
  readonly #timers = new Set<Timer>();
  readonly #gate: ShutdownGate;
  #calls = 0;
  #calledMs = -1;
  settled = false;
  problem: string | undefined;
  ordersAfterStop = 0;

  constructor(role: RoleGround) {
    this.#role = role;
    this.#gate = createShutdownGate({ clock: role.process.clock });
  }

  get running(): boolean {
    return this.#role.process.running;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  get stopped(): boolean {
    return this.#gate.requested;
  }

  stop(): void {
    this.#gate.requestShutdown('the check ends');
    this.stopping.abort();
  }

  begin(strategy: StrategyUnderTest, wrap: (broker: Broker) => Broker, bars: readonly Bar[], life: number): void {
    const { ground, process, bus, random } = this.#role;
    const clock = this.#countedClock();
    const broker = wrap(this.#seenBroker(life));
    const lease = createTradingLease({
      bus,
      account: ACCOUNT,
      inflight: this.#gate,
      brokerTimeoutMs: BROKER_TIMEOUT_MS,
      ...timingsOf(ground.setup).lease,
      clock: process.clock,
      random,
      self: process.self,
    });
    const submit = guardOrderSubmission((order: OrderRequest) => broker.submit(order), {
      gate: this.#gate,
      lease,
      brokerTimeoutMs: BROKER_TIMEOUT_MS,
      intent: (order) => (order.reduceOnly ? 'reduce' : 'increase'),
      label: (order) => order.clientOrderId,
    });
    const tools: StrategyTools = {
      clock,
      submit: this.#counted(submit),
      broker,
      bus,
      gate: this.#gate,
      lease,
      account: ACCOUNT,
      bars: () => barsFrom(bars, clock, () => ground.kernel.nowMs),
      random: random.fork('strategy'),
      signal: this.stopping.signal,
      life,
    };
    void this.#run(strategy, tools);
  }

  async #run(strategy: StrategyUnderTest, tools: StrategyTools): Promise<void> {
    try {
      await strategy(tools);
    } catch (error) {
      this.problem = messageOf(error);
    }
    this.settled = true;
  }

  /** Orders are seen as they leave, whatever door they took. */
  #seenBroker(life: number): Broker {
    const { ground, process, broker } = this.#role;
    return {
      ...broker,
      submit: (order, signal) => {
        this.#called();
        if (!order.reduceOnly) {
          if (this.#gate.requested) this.ordersAfterStop += 1;
          const { clientOrderId } = order;
          const holder = `${process.name}-${life}`;
          ground.sent.push({ atMs: ground.kernel.nowMs, process: process.name, holder, clientOrderId, intent: 'increase' });
        }
        return broker.submit(order, signal);
      },
    };
  }

  #counted(submit: StrategyTools['submit']): StrategyTools['submit'] {
    const counted = (order: OrderRequest) => {
      this.#called();
      return submit(order);
    };
    return Object.assign(counted, {
      trySubmit: (order: OrderRequest) => {
        this.#called();
        return submit.trySubmit(order);
      },
      under: (permit: ExitPermit) => submit.under(permit),
      'failflat.guarded': true,
    } as const);
  }

  #countedClock(): Clock {
    const { clock } = this.#role.process;
    const setTimer: Clock['setTimer'] = (delayMs, fire) => {
      this.#called();
      const timer = clock.setTimer(delayMs, () => {
        this.#timers.delete(kept);
        fire();
      });
      const kept: Timer = {
        cancel: () => {
          this.#timers.delete(kept);
          timer.cancel();
        },
      };
      this.#timers.add(kept);
      return kept;
    };
    const sleep: Clock['sleep'] = (delayMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const wake = () => {
          timer.cancel();
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimer(delayMs, wake);
        signal?.addEventListener('abort', wake, { once: true });
      });
    return {
      monotonicMs: () => {
        this.#called();
        return clock.monotonicMs();
      },
      wallMs: () => {
        this.#called();
        return clock.wallMs();
      },
      setTimer,
      sleep,
    };
  }

  /** Thrown where the strategy itself calls: it ends the loop that never yields. */
  #called(): void {
    const { nowMs } = this.#role.ground.kernel;
    this.#calls = nowMs === this.#calledMs ? this.#calls + 1 : 0;
    this.#calledMs = nowMs;
    if (this.#calls > MAX_CALLS_AT_ONE_TIME) {
      const problem = `the strategy never yields: ${MAX_CALLS_AT_ONE_TIME} calls at ${Math.round(nowMs)} ms without time going on`;
      this.problem = problem;
      throw new StrategyNeverYieldsError(problem);
    }
  }
}

async function* barsFrom(bars: readonly Bar[], clock: Clock, nowMs: () => number): AsyncIterable<Bar> {
  for (;;) {
    await clock.sleep(BAR_EVERY_MS);
    const bar = bars[Math.min(bars.length - 1, Math.floor(nowMs() / BAR_EVERY_MS))];
    if (bar !== undefined) yield bar;
  }
}
