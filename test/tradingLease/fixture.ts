/** A small world for lease tests: a memory bus behind a switch, and peers that beat on a manual clock. */
import type { Bus } from '../../src/bus/bus.js';
import { BusUnavailableError } from '../../src/bus/bus.js';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory.js';
import { decodeHolderReport, type HolderReport, LEASE_HOLDER } from '../../src/messages/holder.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat, type PeerBeat, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { createTradingLease, type TradingLease } from '../../src/tradingLease/lease.js';
import type { TradingLeaseOptions } from '../../src/tradingLease/options.js';
import { readAll } from '../../src/tradingState/incidents.js';

export const ACTIVE: TradingState = {
  ...NEVER_ARMED,
  epoch: 1,
  mode: 'ACTIVE',
  accounts: ['default'],
  services: ['brain'],
  changedBy: 'operator',
};

/** A bus whose connection can be cut, or moved to another server. */
export class SwitchedBus {
  target: Bus;
  cut = false;

  constructor(target: Bus) {
    this.target = target;
  }

  readonly bus: Bus = this.#proxy();

  #through(): Bus {
    if (this.cut) throw new BusUnavailableError('the network is cut');
    return this.target;
  }

  async #watched<T>(call: () => Promise<T>): Promise<T> {
    const result = await call();
    // What was answered while the network was cut never arrives.
    this.#through();
    return result;
  }

  #proxy(): Bus {
    const through = () => this.#through();
    const watched = <T>(call: () => Promise<T>) => this.#watched(call);
    const isCut = () => this.cut;
    return {
      url: 'memory:',
      append: async (stream, fields, options) =>
        isCut() ? { outcome: 'unknown', detail: 'the network is cut' } : through().append(stream, fields, options),
      read: async (stream, cursor, options) => watched(() => through().read(stream, cursor, options)),
      end: async (stream) => through().end(stream),
      latest: async (stream, key) => through().latest(stream, key),
      group: (stream, name) => through().group(stream, name),
      latch: (key) => ({
        get: async () => through().latch(key).get(),
        compareAndSet: async (version, fields) =>
          isCut() ? { outcome: 'unknown', detail: 'the network is cut' } : through().latch(key).compareAndSet(version, fields),
        watch: async (version, options) => watched(() => through().latch(key).watch(version, options)),
      }),
      probe: async () => (isCut() ? { ok: false, detail: 'the network is cut' } : through().probe()),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }
}

export class Peer {
  readonly beat: PeerBeat;
  alive = true;
  #sequence = 0;

  constructor(name: string, pid: number, overrides: Partial<PeerBeat> = {}) {
    this.beat = { peerId: name, generation: `${name}-1`, sequence: 0, host: 'h', bootId: 'b', pid, epoch: 1, ...overrides };
  }

  async send(bus: Bus, stream: string): Promise<void> {
    this.#sequence += 1;
    await bus.append(stream, encodePeerBeat({ ...this.beat, sequence: this.#sequence }), { key: this.beat.peerId });
  }
}

export class World {
  readonly clock = new ManualClock();
  readonly random = seededRandom('lease');
  readonly memory: MemoryBus = createMemoryBus({ clock: this.clock, random: this.random.fork('bus') });
  /** The bus as the rest of the world sees it. */
  bus: Bus = this.memory.handle();
  /** The bus as the holder sees it. */
  readonly link = new SwitchedBus(this.memory.handle());
  readonly watchdog = new Peer('watchdog', 901);
  readonly worker = new Peer('worker', 902, { worker: { account: 'default', identityMatches: true, bookAgeMs: 5, positions: 0 } });
  readonly orders = { inflight: 0, unknown: 0 };
  readonly view = { inflight: () => this.orders.inflight, unknownOutcomes: () => this.orders.unknown };
  #beating = true;

  async set(state: TradingState): Promise<void> {
    const latch = this.bus.latch(TRADING_STATE);
    const { version } = await latch.get();
    await latch.compareAndSet(version, encodeTradingState(state));
  }

  lease(options: Partial<TradingLeaseOptions> = {}): TradingLease {
    const { clock, random } = this;
    return createTradingLease({ bus: this.link.bus, inflight: this.view, clock, random: random.fork('lease'), ...options });
  }

  /** Peers beat every 125 ms from now on. */
  startPeers(): void {
    const next = (): void => {
      if (!this.#beating) return;
      if (this.watchdog.alive) void this.watchdog.send(this.bus, WATCHDOG_HEARTBEAT);
      if (this.worker.alive) void this.worker.send(this.bus, EXIT_WORKER_HEARTBEAT);
      this.clock.setTimer(125, next);
    };
    next();
  }

  stopPeers(): void {
    this.#beating = false;
  }

  /** Trading ACTIVE, peers alive, the lease held. */
  async held(options: Partial<TradingLeaseOptions> = {}): Promise<TradingLease> {
    await this.set(ACTIVE);
    this.startPeers();
    const lease = this.lease(options);
    await this.clock.advance(1_500);
    return lease;
  }

  refusal(lease: TradingLease, intent: 'increase' | 'reduce' | 'cancel' = 'increase'): string | undefined {
    return lease.check(this.clock.monotonicMs(), intent)?.code;
  }

  async reports(bus: Bus = this.bus): Promise<readonly HolderReport[]> {
    return (await readAll(bus, { stream: LEASE_HOLDER, decode: decodeHolderReport })).values;
  }

  /** Advances in small steps until the lease refuses; the time that took. */
  async untilRefused(lease: TradingLease, limitMs: number, stepMs = 5): Promise<number> {
    const startedMs = this.clock.monotonicMs();
    while (this.refusal(lease) === undefined && this.clock.monotonicMs() - startedMs < limitMs) await this.clock.advance(stepMs);
    return this.clock.monotonicMs() - startedMs;
  }

  async end(lease: TradingLease): Promise<void> {
    this.stopPeers();
    this.orders.inflight = 0;
    const closed = lease.close();
    await this.clock.advance(3_000);
    await closed;
  }
}
