/** The paper venue's own books and matching behind simulated connections. */
import type { Broker } from '../../broker/broker.js';
import type { VenueEvent } from '../../brokers/paper/index.js';
import type { VenueSwitches } from '../../brokers/paper/wire.js';
import { type Bar, FLAT_BARS } from '../../venue/bars.js';
import { patchSwitches, seedPositions } from '../../venue/engine/administration.js';
import { controlReplay } from '../../venue/engine/market.js';
import { createVenueState, type VenueAnswer } from '../../venue/engine/state.js';
import { fromUnits } from '../../venue/engine/units.js';
import { createVenueRuntime, type VenueRuntime } from '../../venue/runtime.js';
import type { Kernel } from '../kernel/kernel.js';
import { Link, type LinkOptions } from '../kernel/link.js';
import type { SimulatedProcess } from '../kernel/simulatedProcess.js';
import { trueClock } from '../kernel/trueClock.js';
import { brokerOver, type VenueRequest } from './brokerOver.js';

export interface SimulatedPosition {
  readonly symbol: string;
  /** Signed; 0 empties it. */
  readonly quantity: number;
}

export interface SimulatedVenueOptions {
  readonly accounts: readonly string[];
  /** At least one. Default: one at 100 that never moves. */
  readonly bars?: readonly Bar[];
  readonly link?: LinkOptions;
  readonly wallStartMs?: number;
}

export interface BrokerLine {
  readonly account: string;
  /** When a call surely ends on the process's clock. */
  readonly timeoutMs: number;
}

const DEFAULT_LINK: LinkOptions = { latencyMs: 4, jitterMs: 4 };

export type VenueLink = Link<VenueRequest, VenueAnswer>;

export class SimulatedVenue {
  readonly #kernel: Kernel;
  readonly #runtime: VenueRuntime;
  readonly #link: LinkOptions;
  readonly #links = new Map<string, VenueLink>();
  #silent = false;

  constructor(kernel: Kernel, options: SimulatedVenueOptions) {
    this.#kernel = kernel;
    this.#link = options.link ?? DEFAULT_LINK;
    const state = createVenueState({ environment: 'paper', accounts: options.accounts, bars: options.bars ?? FLAT_BARS });
    this.#runtime = createVenueRuntime(state, trueClock(kernel, 'venue', options.wallStartMs ?? 1_440_374_400_000));
  }

  /** A broker for this process. Its connection can be reached by {@link link} under the process's name. */
  broker(process: SimulatedProcess, line: BrokerLine): Broker {
    const link: VenueLink = new Link(
      this.#kernel,
      process,
      'venue',
      ({ command, sender }, caller) => {
        // A request that nobody answers must not look like one whose answer is late.
        this.#runtime.request(command, sender, (given) => {
          if (given.kind !== 'silence') caller.answer(given);
        });
      },
      this.#link,
    );
    link.vigilant = this.#silent;
    this.#links.set(process.name, link);
    return brokerOver(link, { ...line, source: process.name, sentMs: () => this.#kernel.nowMs });
  }

  link(process: string): VenueLink | undefined {
    return this.#links.get(process);
  }

  /** Each switch that is named is replaced as a whole. */
  set(patch: Partial<VenueSwitches>): void {
    this.#runtime.administer((state, nowMs) => patchSwitches(state, patch, nowMs));
    this.#silent = mayBeSilent(this.#runtime.state.switches);
    for (const link of this.#links.values()) link.vigilant = this.#silent;
  }

  seed(account: string, positions: readonly SimulatedPosition[]): void {
    const seeded = positions.map(({ symbol, quantity }) => ({ symbol, quantity, positionSide: 'net' as const }));
    this.#runtime.administer((state, nowMs) => seedPositions(state, { account, positions: seeded }, nowMs));
  }

  /** The next bar. */
  step(): void {
    this.#runtime.administer((state, nowMs) => controlReplay(state, { action: 'step', by: 1 }, nowMs));
  }

  get switches(): VenueSwitches {
    return this.#runtime.state.switches;
  }

  events(): readonly VenueEvent[] {
    return this.#runtime.state.events;
  }

  /** Signed quantities by symbol, as the books hold them now. */
  positions(account: string): ReadonlyMap<string, number> {
    const held = this.#runtime.state.accounts.get(account)?.positions.values() ?? [];
    return new Map([...held].map(({ symbol, units }) => [symbol, fromUnits(units)]));
  }

  openOrders(account: string): number {
    return this.#runtime.state.accounts.get(account)?.open.size ?? 0;
  }
}

/** True where a request may stay without an answer for longer than the line takes. */
function mayBeSilent({ frozen, latencyMs, readLatencyMs, dropAnswers, loseOrders }: VenueSwitches): boolean {
  const strikes = [dropAnswers, loseOrders].some(({ next, everyNth }) => next === 'all' || next > 0 || everyNth > 0);
  return frozen || strikes || latencyMs > 0 || readLatencyMs > 0;
}
