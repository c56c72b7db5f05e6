/** A worker that cannot take up panics must not look alive: nobody may trade on it. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Bus, BusUnavailableError, FROM_START } from '../../src/bus/bus.js';
import type { Logger } from '../../src/logger.js';
import { EXIT_WORKER_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('a worker that cannot take up panics', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  const beats = async () => (await scene.bus.read(EXIT_WORKER_HEARTBEAT, FROM_START, { limit: 100_000 })).records.length;

  async function beatsWithin(ms: number): Promise<number> {
    const before = await beats();
    await scene.clock.advance(ms);
    return (await beats()) - before;
  }

  it('S11, L4: beats only while it reaches its group, and says so once', async () => {
    scene = createExitScene();
    await scene.arm();
    let deaf = false;
    const said: string[] = [];
    const say = (_details: object, message?: string) => void said.push(message ?? '');
    const logger: Logger = { debug() {}, info: say, warn: say, error: say };
    const wrapBus = (bus: Bus): Bus =>
      new Proxy(bus, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          if (name !== 'group') return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
          return (stream: string, group: string) => {
            const real = target.group(stream, group);
            const next: typeof real.next = (consumer, options) =>
              deaf ? Promise.reject(new BusUnavailableError('no such group')) : real.next(consumer, options);
            return { next, pending: () => real.pending() };
          };
        },
      });
    const worker = scene.worker({ wrapBus, options: { logger } });
    expect(await beatsWithin(500), 'from the start').toBeGreaterThanOrEqual(3);
    await scene.clock.advance(5_000);
    expect(await beatsWithin(1_000), 'with nothing to take up').toBeGreaterThanOrEqual(7);
    deaf = true;
    await scene.clock.advance(1_700);
    expect(await beatsWithin(5_000), 'while it is deaf').toBe(0);
    expect(said.filter((message) => /panics/.test(message))).toHaveLength(1);
    expect(worker.alerts).toEqual([]);
    await scene.clock.advance(5_000);
    expect(
      worker.alerts.map(({ kind }) => kind),
      'people are told',
    ).toEqual(['bus.unwritable']);
    deaf = false;
    await scene.clock.advance(300);
    expect(await beatsWithin(1_000), 'when it hears again').toBeGreaterThanOrEqual(7);
    expect(said.filter((message) => /panics/.test(message))).toHaveLength(2);
  });

  it('S11: one that has never reached its group has never beaten', async () => {
    scene = createExitScene();
    await scene.arm();
    const wrapBus = (bus: Bus): Bus =>
      new Proxy(bus, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          if (name !== 'group') return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
          const away = () => Promise.reject(new BusUnavailableError('no such group'));
          return () => ({ next: away, pending: away });
        },
      });
    scene.worker({ wrapBus });
    expect(await beatsWithin(5_000)).toBe(0);
  });
});
