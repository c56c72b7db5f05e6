/** A watchdog that remembers a halt adds it again, however often the bus cannot say whether it stands. */
import { describe, expect, it } from 'vitest';
import type { Bus, CompareAndSetOutcome, Latch } from '../../src/bus/bus.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { scene } from './scene.js';

const HALT = { id: 'h1', kind: 'manual', reason: 'stop', by: 'operator', sinceWallMs: 1 } as const;

/** Nobody learns what became of a change of the state, as long as it lasts. */
function unsureBus(bus: Bus, isUnsure: () => boolean): Bus {
  return new Proxy(bus, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'latch' && typeof value === 'function')
        return (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
      if (name !== 'latch') return value;
      return (key: string): Latch => {
        const latch = target.latch(key);
        const unsure: CompareAndSetOutcome = { outcome: 'unknown', detail: 'no answer' };
        return {
          get: () => latch.get(),
          watch: (...args) => latch.watch(...args),
          compareAndSet: (...args) => (isUnsure() ? Promise.resolve(unsure) : latch.compareAndSet(...args)),
        };
      };
    },
  });
}

describe('a forgotten halt', () => {
  it('S7: is added again until it is certain that it stands', async () => {
    const stage = scene('reassert');
    let unsure = false;
    await stage.arm({ mode: 'HALTED', halts: [HALT] });
    stage.watchdog({ bus: unsureBus(stage.newHandle(), () => unsure) });
    await stage.clock.advance(1_000);
    unsure = true;
    await stage.arm({ mode: 'ACTIVE', halts: [] });
    await stage.clock.advance(20_000);
    expect((await readTradingState(stage.bus)).state.halts).toEqual([]);
    unsure = false;
    await stage.clock.advance(2_000);
    expect((await readTradingState(stage.bus)).state).toMatchObject({ mode: 'HALTED', halts: [{ id: 'h1' }] });
    await stage.end();
  });
});
