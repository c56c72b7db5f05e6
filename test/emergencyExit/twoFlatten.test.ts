/** Two workers of one account that lose their bus at the same time: nobody tells them of each other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Bus, BusUnavailableError } from '../../src/bus/bus.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

let scene: ExitScene;
let away = false;
const directory = mkdtempSync(join(tmpdir(), 'two-flatten-'));
afterEach(async () => {
  await scene.end();
  rmSync(directory, { recursive: true });
});

/** What is remembered on disk takes real time. */
const diskTime = () => new Promise((resolve) => setTimeout(resolve, 1));

function losable<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (name === 'group' || name === 'latch') {
          const part: unknown = Reflect.apply(value, object, args);
          return typeof part === 'object' && part !== null ? losable(part) : part;
        }
        if (!away) return Reflect.apply(value, object, args);
        if (name === 'probe') return Promise.resolve({ ok: false, detail: 'away' });
        if (name === 'append' || name === 'compareAndSet') return Promise.resolve({ outcome: 'unknown', detail: 'away' });
        return Promise.reject(new BusUnavailableError('away'));
      };
    },
  });
}

it('S4: two workers that flatten without the bus send one close between them where the venue keeps ids for ever', async () => {
  scene = createExitScene();
  const { venue, clock } = scene;
  await scene.arm();
  venue.set({ latencyMs: 50, reduceOnly: 'rejected' });
  venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
  const wrapBus = (bus: Bus) => losable(bus);
  for (const id of ['a', 'b']) scene.worker({ id, wrapBus, options: { onBusLost: 'flatten', memoryFile: join(directory, id) } });
  await clock.advance(500);
  away = true;
  let lowest = 10;
  await scene.until(
    async () => {
      await diskTime();
      lowest = Math.min(lowest, venue.positions().get('AAPL/net') ?? 0);
      return lowest <= 0;
    },
    30_000,
    'the empty book',
  );
  for (let stepMs = 0; stepMs < 3_000; stepMs += 10) {
    await clock.advance(10);
    lowest = Math.min(lowest, venue.positions().get('AAPL/net') ?? 0);
  }
  expect(lowest).toBe(0);
  expect(venue.positions().size).toBe(0);
  away = false;
});
