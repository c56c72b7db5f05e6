/** The subject that is there from the start: a halt and a panic_close, as the shipped code gives them, on a bus whose calls fail. */
import type { Bus } from '../../bus/bus.js';
import { FROM_START } from '../../bus/bus.js';
import { createMemoryBus } from '../../bus/memory.js';
import type { Clock } from '../../clock.js';
import { panicClose } from '../../emergencyExit/panicClose.js';
import { PANIC_CLOSE } from '../../messages/panicClose.js';
import { halt } from '../../tradingState/halt.js';
import { readTradingState } from '../../tradingState/read.js';
import { chaosBus } from '../inProcess/ports.js';
import type { StormSubject } from './subject.js';

/** A bus that stands for another one at each time, so that the engine's targets stay the same. */
function standIn(now: () => Bus): Bus {
  return {
    url: 'memory:',
    append: (...args) => now().append(...args),
    read: (...args) => now().read(...args),
    end: (stream) => now().end(stream),
    latest: (stream, key) => now().latest(stream, key),
    group: (stream, name) => now().group(stream, name),
    latch: (key) => now().latch(key),
    probe: () => now().probe(),
    close: () => now().close(),
    [Symbol.asyncDispose]: () => now().close(),
  };
}

const haltId = (round: number): string => `storm-${round}`;

async function holdsHalt(bus: Bus, round: number): Promise<boolean> {
  return (await readTradingState(bus)).state.halts.some(({ id }) => id === haltId(round));
}

async function holdsPanic(bus: Bus): Promise<boolean> {
  return (await bus.read(PANIC_CLOSE, FROM_START)).records.length > 0;
}

export const haltAndPanic = (clock: Clock): StormSubject => ({
  name: 'a halt and a panic_close on a bus',
  open(engine) {
    // Each round has a bus of its own, and the observer a handle of its own on it.
    const observers = new Map<number, Bus>();
    let current = createMemoryBus({ clock }).handle();
    const bus = chaosBus(
      standIn(() => current),
      engine,
    );
    return {
      async operation(round) {
        const memory = createMemoryBus({ clock });
        current = memory.handle();
        const observer = memory.handle();
        observers.set(round, observer);
        const halted = await halt(bus, { kind: 'manual', reason: 'storm', by: 'storm', id: haltId(round) }, { clock });
        if (halted.outcome === 'committed' && !(await holdsHalt(observer, round)))
          throw new Error('the halt was said to stand, and does not');
        const panic = await panicClose(bus, { reason: 'storm', by: 'storm' }, { clock });
        if (panic.outcome === 'committed' && !(await holdsPanic(observer))) throw new Error('the panic was said to stand, and does not');
      },
      async recovered({ round }) {
        const observer = round === undefined ? undefined : observers.get(round);
        return observer !== undefined && round !== undefined && (await holdsHalt(observer, round)) && (await holdsPanic(observer));
      },
    };
  },
});
