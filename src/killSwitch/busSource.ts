/** The trading state on a bus as a source of the kill switch: the fast one, and the one that every process shares. */
import type { Bus } from '../bus/bus.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { TRADING_STATE, type TradingState } from '../messages/tradingState.js';
import { createHaltMemory, type HaltMemory } from '../tradingState/memory.js';
import { stateOf } from '../tradingState/read.js';
import { quietSleep } from '../tradingState/tail.js';
import { BUS_READS_PER_STALENESS, checkFlag, checkScope, knownOptions, MAX_UNANSWERED } from './options.js';
import type { KillSwitchSource, OpenSource, Opinion, SourceContext, SourceOptions } from './source.js';

export interface BusSourceOptions extends SourceOptions {
  /** The venue itself refuses to let a reducing order flip a position: then reductions pass while an exit is under way. Default false. */
  readonly venueEnforcesReduceOnly?: boolean;
}

/** Anything but ACTIVE halts, also a mode that this version does not know. */
export function opinionOfState({ mode, halts, changedBy }: TradingState, from: string): Opinion {
  if (mode === 'ACTIVE') return { says: 'off', from };
  const [first] = halts;
  const why = first === undefined ? `set by ${changedBy}` : `${first.by}: ${first.reason}`;
  const exit = halts.find(({ kind }) => kind === 'exit');
  return {
    says: 'halted',
    from,
    reason: `says that trading is ${mode} (${why})`,
    ...(exit === undefined ? {} : { exit: { reason: exit.reason, sinceWallMs: exit.sinceWallMs } }),
  };
}

class WatchedState implements OpenSource {
  readonly #bus: Bus;
  readonly #from: string;
  readonly #context: SourceContext;
  readonly #memory: HaltMemory;
  readonly #blockMs: number;
  /** -1: whatever is read next is news. */
  #knownVersion = -1;
  #reasserting = false;

  constructor(bus: Bus, from: string, context: SourceContext) {
    this.#bus = bus;
    this.#from = from;
    this.#context = context;
    this.#memory = createHaltMemory({ by: 'kill_switch', clock: context.clock, logger: context.logger });
    this.#blockMs = context.maxStalenessMs / BUS_READS_PER_STALENESS;
  }

  async read(signal: AbortSignal): Promise<Opinion> {
    const { clock } = this.#context;
    const knownVersion = this.#knownVersion;
    // After a loss, or while another read hangs, the next answer is news, whatever its version.
    this.#knownVersion = -1;
    const beganMs = clock.monotonicMs();
    const value = await this.#bus.latch(TRADING_STATE).watch(knownVersion, { blockMs: this.#blockMs, signal });
    // Nobody waits for it any more: another read has begun, which must not be taken for older than this one.
    signal.throwIfAborted();
    // A bus that answers at once, against its contract, must not spin whoever reads it.
    if (value.version === knownVersion && clock.monotonicMs() === beganMs) await quietSleep(clock, 1, signal);
    const { state } = stateOf(value);
    if (this.#memory.observe(state)) {
      void this.#reassert();
      return { says: 'doubt', from: this.#from, reason: 'has forgotten a halt or an epoch that was seen there' };
    }
    this.#knownVersion = value.version;
    return opinionOfState(state, this.#from);
  }

  close(): void {
    // Reads end by their signal, and the bus is its owner's to close.
  }

  // Whoever remembers a halt adds it again: otherwise a failover that has not seen it would stay in doubt for ever.
  async #reassert(): Promise<void> {
    if (this.#reasserting) return;
    this.#reasserting = true;
    const { clock, logger, maxStalenessMs } = this.#context;
    try {
      const outcome = await this.#memory.reassert(this.#bus, { clock, timeoutMs: maxStalenessMs });
      logger.error({ outcome }, 'the bus had forgotten a halt or an epoch');
    } catch (error) {
      logger.error({ problem: messageOf(error) }, 'halts not reasserted');
    } finally {
      this.#reasserting = false;
    }
  }
}

function isBus(value: unknown): value is Bus {
  return typeof value === 'object' && value !== null && 'latch' in value && typeof value.latch === 'function' && 'url' in value;
}

/**
 * Halts unless the trading state on `bus` is ACTIVE, and while it cannot be read. Reductions are refused while an exit is under
 * way, or may be for all that is known: two closers could flip a position. The bus stays its owner's to close.
 */
export function busSource(bus: Bus, options: BusSourceOptions = {}): KillSwitchSource {
  if (!isBus(bus)) throw new ConfigurationError('bus', bus, 'must be a bus, as openBus resolves with');
  knownOptions('options', options, ['scope', 'venueEnforcesReduceOnly']);
  const venueEnforcesReduceOnly = checkFlag('venueEnforcesReduceOnly', options.venueEnforcesReduceOnly);
  const from = `bus:${bus.url}`;
  return {
    name: from,
    scope: checkScope(options.scope),
    canChange: true,
    waits: true,
    maxUnanswered: MAX_UNANSWERED,
    tellsExits: !venueEnforcesReduceOnly,
    open: (context) => new WatchedState(bus, from, context),
  };
}
