/** Halt first: a strategy that goes on opening would race the exit. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus, Latch } from '../../src/bus/bus.js';
import type { ExitEnd } from '../../src/emergencyExit/exitRun.js';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { TRADING_STATE } from '../../src/messages/tradingState.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 5: the halt is written last, after the closes', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function stateAtFirstClose(parts = intactWorkerParts, wrapBus = (bus: Bus) => bus) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.worker({ parts, wrapBus });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(() => scene.venue.positions().size === 0, 5_000);
    await scene.clock.advance(100);
    const audited = await scene.audited();
    return { halt: audited.indexOf('state.halted'), close: audited.indexOf('exit.close_attempt') };
  }

  /** Writes to the trading state take their time, and nothing else does. */
  const slowToHalt = (bus: Bus): Bus => {
    const slow = (latch: Latch): Latch => ({
      get: () => latch.get(),
      watch: (version, options) => latch.watch(version, options),
      compareAndSet: async (version, fields) => {
        await scene.clock.sleep(300);
        return latch.compareAndSet(version, fields);
      },
    });
    return new Proxy(bus, {
      get(target, name) {
        if (name === 'latch') return (key: string) => (key === TRADING_STATE ? slow(target.latch(key)) : target.latch(key));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args) : value;
      },
    });
  };

  it.each([
    ['at once', (bus: Bus) => bus],
    ['late', slowToHalt],
  ])('trap 5: S1: the halt, written %s, stands before the first close is sent', async (_when, wrapBus) => {
    const { halt, close } = await stateAtFirstClose(intactWorkerParts, wrapBus);
    expect(halt).toBeGreaterThanOrEqual(0);
    expect(halt).toBeLessThan(close);
  });

  it('trap 5: the closes come first when the order is turned round', async () => {
    const halting = {
      ...intactWorkerParts,
      atOnce: () => {},
      inOrder: async (raiseHalt: () => Promise<void>, exit: () => Promise<ExitEnd>) => {
        const end = await exit();
        await raiseHalt();
        return end;
      },
    };
    expect((await stateAtFirstClose(halting)).halt).toBe(-1);
  });
});
