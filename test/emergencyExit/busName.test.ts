/** Client order ids are made of the name of the bus: it must be one name, whoever asks, and however often. */
import { describe, expect, it } from 'vitest';
import type { Bus, CompareAndSetOutcome } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { readBusName } from '../../src/emergencyExit/busName.js';
import { seededRandom } from '../../src/random.js';

function withAnswers(bus: Bus, answers: CompareAndSetOutcome[]): Pick<Bus, 'latch'> {
  return {
    latch: (key) => {
      const latch = bus.latch(key);
      return {
        get: () => latch.get(),
        watch: (...args) => latch.watch(...args),
        compareAndSet: async (...args) => answers.shift() ?? latch.compareAndSet(...args),
      };
    },
  };
}

describe('the name of a bus', () => {
  it('S4, S9: is given once, also by many at the same time', async () => {
    const memory = createMemoryBus();
    const names = await Promise.all(Array.from({ length: 8 }, (_, index) => readBusName(memory.handle(), seededRandom(index))));
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^\S{8,}$/);
    expect(await readBusName(memory.handle(), seededRandom(99))).toBe(names[0]);
    expect(await readBusName(createMemoryBus().handle(), seededRandom(99))).not.toBe(names[0]);
  });

  it.each<CompareAndSetOutcome>([
    { outcome: 'unknown', detail: 'no answer' },
    { outcome: 'refused', reason: 'no_space', detail: 'full' },
    { outcome: 'committed', version: 1, unreplicated: 'no replica confirmed it' },
  ])('S4: is not used where it is not sure that it stands ($outcome)', async (answer) => {
    const bus = createMemoryBus().handle();
    await expect(readBusName(withAnswers(bus, [answer]), seededRandom(1))).rejects.toThrow('no name yet');
    expect(await readBusName(bus, seededRandom(2))).toMatch(/^\S{8,}$/);
  });
});
