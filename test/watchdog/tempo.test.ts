/** A watchdog that beats seldom: it listens as patiently as it beats, trusts itself all the same, and accuses as soon as any other. */
import { describe, expect, it } from 'vitest';
import type { ReadOptions } from '../../src/bus/bus.js';
import { WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { tempoOf } from '../../src/watchdog/tempo.js';
import { HandBrain, scene } from './scene.js';

const SLOW_BEAT_MS = 4_000;

describe('a watchdog that beats every four seconds', () => {
  it('L1: does not doubt itself between its beats, and accuses a brain as soon as any other', async () => {
    const s = scene();
    const watchdog = s.watchdog({ peerBeatMs: SLOW_BEAT_MS });
    const brain = new HandBrain(s.newHandle(), { activePositions: 1 });
    for (let beats = 0; beats < 60; beats += 1) {
      await brain.beat();
      await s.clock.advance(1_000);
      if (beats > 5) expect(watchdog.status().doubt).toBeUndefined();
    }
    expect(await s.firstPanics()).toEqual([]);
    await s.clock.advance(1_990);
    expect(await s.firstPanics()).toEqual([]);
    await s.clock.advance(200);
    expect(await s.firstPanics()).toHaveLength(1);
    await s.end();
  });

  it('asks the bus seldom while nothing happens', async () => {
    const s = scene();
    let asked = 0;
    const bus = s.newHandle();
    const counted = new Proxy(bus, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          asked += 1;
          return Reflect.apply(value, target, args);
        };
      },
    });
    s.watchdog({ peerBeatMs: SLOW_BEAT_MS, bus: counted });
    await s.clock.advance(60_000);
    asked = 0;
    await s.clock.advance(60_000);
    // Ten reads that wait eight seconds each, its own beats, and a probe for every other one.
    expect(asked).toBeLessThan(130);
    expect(asked).toBeGreaterThan(60);
    await s.end();
  });
});

it('L4: a watchdog that has only just reached the bus looks alive with its next beat, however long its reads wait', async () => {
  const s = scene();
  s.watchdog({ peerBeatMs: SLOW_BEAT_MS });
  const beats = s.newHandle();
  const end = await beats.end(WATCHDOG_HEARTBEAT);
  await s.clock.advance(SLOW_BEAT_MS + 100);
  expect((await beats.read(WATCHDOG_HEARTBEAT, end)).records).toHaveLength(1);
  await s.end();
});

describe('the tempo of a watchdog', () => {
  it('is the default for beats of 125 ms and less, and follows slower ones', () => {
    const fast = { blockMs: 250, retryMs: 50, probeEveryMs: 250, contactMaxAgeMs: 1_500, blindAfterMs: 1_000, lookEveryMs: 1_000 };
    expect(tempoOf(125)).toEqual(fast);
    expect(tempoOf(5)).toEqual(fast);
    expect(tempoOf(1_000)).toEqual({
      blockMs: 2_000,
      retryMs: 400,
      probeEveryMs: 2_000,
      contactMaxAgeMs: 3_250,
      blindAfterMs: 8_000,
      lookEveryMs: 2_000,
    });
  });

  it('every read of a stream waits that long', async () => {
    const s = scene();
    const blocks = new Set<number | undefined>();
    const bus = s.newHandle();
    const seen = new Proxy(bus, {
      get(target, name) {
        if (name !== 'read') {
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args) : value;
        }
        return (stream: string, cursor: Parameters<typeof bus.read>[1], options?: ReadOptions) => {
          if ((options?.blockMs ?? 0) > 0) blocks.add(options?.blockMs);
          return target.read(stream, cursor, options);
        };
      },
    });
    s.watchdog({ peerBeatMs: 1_000, bus: seen });
    await s.clock.advance(10_000);
    expect([...blocks]).toEqual([2_000]);
    await s.end();
  });
});
