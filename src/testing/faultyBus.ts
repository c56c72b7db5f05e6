/** A bus whose contact, appends and latches fail on command: for testing what others do in an outage. */
import {
  type AppendOptions,
  type AppendOutcome,
  type AppendRefusal,
  type Bus,
  BusDoubtError,
  BusUnavailableError,
  type CompareAndSetOutcome,
  type ConsumerGroup,
  type Fields,
  type Latch,
} from '../bus/bus.js';

/** What happens to writes: `unknown_done` took effect and `unknown_lost` did not, and the caller cannot tell them apart. */
export type WriteFault =
  | 'none'
  | 'unknown_done'
  | 'unknown_lost'
  | { readonly refused: AppendRefusal }
  /** Waits until this promise settles, then goes on unharmed. */
  | { readonly heldUntil: Promise<unknown> };

/** Set the fields at any time; every call looks at them when it begins. */
export interface BusFaults {
  /**
   * Contact for everything. `fails`: each call fails at once. `hangs`: none settles until contact is `ok` again, and then it
   * fails; a write that hangs has had no effect.
   */
  contact: 'ok' | 'fails' | 'hangs';
  append: WriteFault;
  /** Limits `append` to these streams; undefined: all. */
  appendStreams: readonly string[] | undefined;
  latchWrite: WriteFault;
  /** `doubt`: the newest value cannot be understood. */
  latchRead: 'ok' | 'fails' | 'doubt';
  /** Replaces the identity that a probe names, as a failover to another server would. */
  identity: string | undefined;
}

export interface FaultyBus extends Bus {
  readonly faults: BusFaults;
  /** Ends an outage, also for the calls that hang in it. */
  heal(): void;
}

const DETAIL = 'injected fault';

class Injector {
  readonly faults: BusFaults = {
    contact: 'ok',
    append: 'none',
    appendStreams: undefined,
    latchWrite: 'none',
    latchRead: 'ok',
    identity: undefined,
  };
  readonly #hanging = new Set<() => void>();

  heal(): void {
    const { faults } = this;
    Object.assign(faults, { contact: 'ok', append: 'none', appendStreams: undefined, latchWrite: 'none', latchRead: 'ok' });
    for (const release of [...this.#hanging]) release();
    this.#hanging.clear();
  }

  /** Resolves while there is contact; rejects at once or after the outage where there is none. */
  async contact(): Promise<void> {
    if (this.faults.contact === 'ok') return;
    if (this.faults.contact === 'hangs') await new Promise<void>((resolve) => this.#hanging.add(resolve));
    throw new BusUnavailableError(DETAIL);
  }

  /** Contact at both ends of a call that takes time: an outage in its middle is an outage. */
  async around<T>(call: () => Promise<T>): Promise<T> {
    await this.contact();
    const result = await call();
    await this.contact();
    return result;
  }
}

type WriteResult<T> = T | { readonly outcome: 'refused'; readonly reason: AppendRefusal; readonly detail: string } | Unknown;
type Unknown = { readonly outcome: 'unknown'; readonly detail: string };

async function write<T>(injector: Injector, fault: WriteFault, call: () => Promise<T>): Promise<WriteResult<T>> {
  try {
    await injector.contact();
  } catch {
    // Writes report and never throw.
    return { outcome: 'unknown', detail: DETAIL };
  }
  if (fault === 'none') return call();
  if (fault === 'unknown_lost') return { outcome: 'unknown', detail: DETAIL };
  if (fault === 'unknown_done') {
    await call();
    return { outcome: 'unknown', detail: DETAIL };
  }
  if ('refused' in fault) return { outcome: 'refused', reason: fault.refused, detail: DETAIL };
  await fault.heldUntil;
  return call();
}

function faultyGroup(group: ConsumerGroup, injector: Injector): ConsumerGroup {
  return {
    next: (consumer, options) =>
      injector.around(async () => {
        const delivery = await group.next(consumer, options);
        if (delivery === undefined) return undefined;
        return {
          ...delivery,
          renew: () => injector.around(() => delivery.renew()),
          ack: () => injector.around(() => delivery.ack()),
          release: () => injector.around(() => delivery.release()),
        };
      }),
    pending: () => injector.around(() => group.pending()),
  };
}

function faultyLatch(latch: Latch, injector: Injector): Latch {
  const readable = () => {
    if (injector.faults.latchRead === 'doubt') throw new BusDoubtError(DETAIL);
    if (injector.faults.latchRead === 'fails') throw new BusUnavailableError(DETAIL);
  };
  const read = (call: () => ReturnType<Latch['get']>) =>
    injector.around(async () => {
      readable();
      const value = await call();
      readable();
      return value;
    });
  return {
    get: () => read(() => latch.get()),
    watch: (knownVersion, options) => read(() => latch.watch(knownVersion, options)),
    compareAndSet: (expectedVersion: number, fields: Fields): Promise<CompareAndSetOutcome> =>
      write(injector, injector.faults.latchWrite, () => latch.compareAndSet(expectedVersion, fields)),
  };
}

/** Wraps `bus`; set `faults` on the result to make it fail, and call `heal()` to end that. */
export function faultyBus(bus: Bus): FaultyBus {
  const injector = new Injector();
  const { faults } = injector;
  const close = () => {
    injector.heal();
    return bus.close();
  };
  return {
    url: bus.url,
    faults,
    heal: () => injector.heal(),
    append: (stream: string, fields: Fields, options?: AppendOptions): Promise<AppendOutcome> => {
      const concerned = faults.appendStreams === undefined || faults.appendStreams.includes(stream);
      return write(injector, concerned ? faults.append : 'none', () => bus.append(stream, fields, options));
    },
    read: (stream, cursor, options) => injector.around(() => bus.read(stream, cursor, options)),
    end: (stream) => injector.around(() => bus.end(stream)),
    latest: (stream, key) => injector.around(() => bus.latest(stream, key)),
    group: (stream, name) => faultyGroup(bus.group(stream, name), injector),
    latch: (key) => faultyLatch(bus.latch(key), injector),
    probe: async () => {
      try {
        const result = await injector.around(() => bus.probe());
        return result.ok && faults.identity !== undefined ? { ...result, identity: faults.identity } : result;
      } catch {
        // A probe reports and never throws.
        return { ok: false, detail: DETAIL };
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
