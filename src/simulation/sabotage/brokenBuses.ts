/** Handles of a bus that lack one safeguard, over an intact one. */
import { type Bus, BusDoubtError, type Latch, type LatchValue } from '../../bus/bus.js';
import type { Clock } from '../../clock.js';
import { AUDIT } from '../../messages/audit.js';

function over(bus: Bus, changed: Partial<Bus>): Bus {
  return {
    url: bus.url,
    append: (stream, fields, options) => bus.append(stream, fields, options),
    read: (stream, cursor, options) => bus.read(stream, cursor, options),
    end: (stream) => bus.end(stream),
    latest: (stream, key) => bus.latest(stream, key),
    group: (stream, name) => bus.group(stream, name),
    latch: (key) => bus.latch(key),
    probe: () => bus.probe(),
    close: () => bus.close(),
    [Symbol.asyncDispose]: () => bus.close(),
    ...changed,
  };
}

/** What cannot be understood is what it was when it last could. */
export function withoutDoubt(bus: Bus, clock: Clock): Bus {
  const known = new Map<string, LatchValue>();
  const asLastKnown = async (key: string, read: () => Promise<LatchValue>): Promise<LatchValue> => {
    const sentMs = clock.monotonicMs();
    try {
      const value = await read();
      known.set(key, value);
      return value;
    } catch (error) {
      const last = known.get(key);
      if (!(error instanceof BusDoubtError) || last === undefined) throw error;
      return { ...last, sentMs };
    }
  };
  return over(bus, {
    latch: (key): Latch => {
      const latch = bus.latch(key);
      return {
        get: () => asLastKnown(key, () => latch.get()),
        compareAndSet: (version, fields) => latch.compareAndSet(version, fields),
        watch: async (version, options) => {
          const value = await asLastKnown(key, () => latch.watch(version, options));
          // What is known already is no news.
          if (value.version === version) await clock.sleep(options.blockMs ?? 0, options.signal);
          return value;
        },
      };
    },
  });
}

/** Looks when the wait is over, whatever happens meanwhile. */
export function withoutNews(bus: Bus, clock: Clock): Bus {
  return over(bus, {
    latch: (key): Latch => {
      const latch = bus.latch(key);
      return {
        get: () => latch.get(),
        compareAndSet: (version, fields) => latch.compareAndSet(version, fields),
        watch: async (_version, options) => {
          await clock.sleep(options.blockMs ?? 0, options.signal);
          return latch.get();
        },
      };
    },
  });
}

/** An entry of the record is tried once; whatever became of it, nobody asks. */
export function withoutSecondTry(bus: Bus): Bus {
  return over(bus, {
    append: async (stream, fields, options) => {
      const outcome = await bus.append(stream, fields, options);
      return stream === AUDIT ? { outcome: 'committed', id: '0-0' } : outcome;
    },
  });
}

/** No entry of the record is written. */
export function withoutRecord(bus: Bus): Bus {
  return over(bus, {
    append: async (stream, fields, options) =>
      stream === AUDIT ? { outcome: 'committed', id: '0-0' } : bus.append(stream, fields, options),
  });
}
