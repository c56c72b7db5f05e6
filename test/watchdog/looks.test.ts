/** When a watchdog looks at whom: a beat that says something new is judged on time, however rarely everybody is looked at. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HandBrain, type Scene, scene } from './scene.js';

const LIMIT_MS = 300;
const BEAT_MS = 50;

describe('a beat that says something new', () => {
  let s: Scene;
  let brain: HandBrain;

  beforeEach(async () => {
    s = scene();
    s.watchdog({
      rules: { degradedMs: LIMIT_MS, decisionStaleMs: LIMIT_MS, missingMs: 5_000, unguardedMs: 5_000 },
      reconnectAllowanceMs: 100,
    });
    brain = new HandBrain(s.newHandle(), { activePositions: 1 });
    for (let beats = 0; beats < 60; beats += 1) {
      await brain.beat();
      await s.clock.advance(BEAT_MS);
    }
    expect(await s.firstPanics()).toEqual([]);
  });

  afterEach(() => s.end());

  async function panickedAfterMs(change: Parameters<HandBrain['beat']>[0]): Promise<number> {
    for (let passedMs = 0; passedMs <= 2_000; passedMs += BEAT_MS) {
      if ((await s.firstPanics()).length > 0) return passedMs;
      await brain.beat(change);
      await s.clock.advance(BEAT_MS);
    }
    return Number.POSITIVE_INFINITY;
  }

  it('L1: DEGRADED is judged when its limit has passed', async () => {
    expect(await panickedAfterMs({ status: 'DEGRADED' })).toBeLessThanOrEqual(LIMIT_MS + 100);
  });

  it('L1: decisions that have stopped are judged when their limit has passed', async () => {
    expect(await panickedAfterMs({ decisionSequence: 60 })).toBeLessThanOrEqual(LIMIT_MS + 100);
  });

  it('L1: a crash loop is judged with the life that is one too many', async () => {
    for (const generation of ['g2', 'g3']) {
      await brain.beat({ generation, sequence: 1 });
      await s.clock.advance(BEAT_MS);
    }
    expect(await s.firstPanics()).toEqual([]);
    expect(await panickedAfterMs({ generation: 'g4', sequence: 1 })).toBeLessThanOrEqual(100);
  });
});
