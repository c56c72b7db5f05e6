/** Notices that a bus has lost everything while an exit was under way: with it went the record of what was sent to the venue. */
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { accountOf } from '../messages/panicClose.js';
import type { TradingState } from '../messages/tradingState.js';
import type { Random } from '../random.js';
import type { StateReading } from '../tradingState/read.js';
import { readBusName } from './busName.js';
import { SUPERSEDED_DOUBT_MS } from './legs.js';

export interface NamedBus {
  /** What client order ids are made of: for a while those of before the loss, so that a venue which knows them takes none twice. */
  readonly name: string;
  readonly isRenamed: boolean;
  /** Why closes may be under way that are not on record; undefined: none are. */
  readonly forgotten: string | undefined;
}

interface Loss {
  readonly name: string;
  readonly sinceMs: number;
  readonly exitWasOpen: boolean;
}

export class BusNames {
  readonly #bus: Pick<Bus, 'latch'>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #account: string;
  #version = 0;
  #name: string | undefined;
  /** As of the last state that was read. */
  #exitIsOpen = false;
  #loss: Loss | undefined;

  constructor(bus: Pick<Bus, 'latch'>, clock: Clock, random: Random, account: string) {
    this.#bus = bus;
    this.#clock = clock;
    this.#random = random;
    this.#account = account;
  }

  /**
   * Call with each state that is read. Its version only rises on a bus that keeps its data; where it falls, the name tells an
   * older copy from an empty bus. Throws {@link BusUnavailableError}.
   */
  async heard({ state, version }: Pick<StateReading, 'state' | 'version'>): Promise<void> {
    if (this.#name === undefined || version < this.#version) await this.read();
    this.#version = version;
    this.#exitIsOpen = hasExit(state, this.#account);
  }

  /** Throws {@link BusUnavailableError} where the bus has no name yet. */
  async read(): Promise<NamedBus> {
    const name = await readBusName(this.#bus, this.#random);
    const nowMs = this.#clock.monotonicMs();
    if (this.#name !== undefined && this.#name !== name) {
      this.#loss = { name: this.#name, sinceMs: nowMs, exitWasOpen: this.#exitIsOpen };
    }
    this.#name = name;
    if (this.#loss === undefined || nowMs - this.#loss.sinceMs > SUPERSEDED_DOUBT_MS)
      return { name, isRenamed: false, forgotten: undefined };
    const forgotten = this.#loss.exitWasOpen ? 'the bus lost its data while an exit was under way' : undefined;
    return { name: this.#loss.name, isRenamed: true, forgotten };
  }
}

function hasExit({ halts }: TradingState, account: string): boolean {
  return halts.some(({ kind, incident }) => kind === 'exit' && incident !== undefined && accountOf(incident) === account);
}
