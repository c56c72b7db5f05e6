/** The last beat of a brain that died before its watchdog began names its account: the accusation waits for that answer. */
import { describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { HandBrain, scene } from './scene.js';

const ANSWER_AFTER_MS = 5_500;

describe('a watchdog that begins behind a dead brain', () => {
  it('S9: closes the account of that brain alone, however slowly the bus says which it was', async () => {
    const stage = scene('slow latest');
    await new HandBrain(stage.newHandle(), { serviceId: 'dead', account: 'b', activePositions: 1 }).beat();
    await stage.arm({ accounts: ['a', 'b', 'c'], services: ['dead'] });
    const slow = new Proxy(stage.newHandle(), {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'latest') {
          return async (...args: Parameters<Bus['latest']>) => {
            const record = await target.latest(...args);
            await stage.clock.sleep(ANSWER_AFTER_MS);
            return record;
          };
        }
        return typeof value === 'function' ? (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args) : value;
      },
    });
    stage.watchdog({ bus: slow });
    await stage.clock.advance(20_000);
    expect((await stage.firstPanics()).map(({ scope }) => scope)).toEqual(['b']);
    await stage.end();
  });
});
