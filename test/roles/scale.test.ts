/** `--scale` divides times and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { DEFAULT_EXIT_TIMINGS } from '../../src/emergencyExit/options.js';
import { LEASE_TTL_MS } from '../../src/messages/holder.js';
import { SCALE_MAX, scaledTimings } from '../../src/roles/scale.js';
import { PEER_LIVENESS_MS, SUSPEND_MAX_MS } from '../../src/tradingLease/options.js';
import { REARM_DWELL_MS } from '../../src/tradingState/options.js';
import { checkWatchdogOptions, DEFAULT_RULE_LIMITS } from '../../src/watchdog/options.js';
import { fcSeed } from '../support/seed.js';

function numbers(value: object, path = ''): Map<string, number> {
  const found = new Map<string, number>();
  for (const [key, inner] of Object.entries<unknown>({ ...value })) {
    if (typeof inner === 'number') found.set(`${path}${key}`, inner);
    else if (typeof inner === 'object' && inner !== null)
      for (const [name, number] of numbers(inner, `${path}${key}.`)) found.set(name, number);
  }
  return found;
}

describe('scaledTimings', () => {
  it('is every part’s own default at scale 1', () => {
    const { watchdog, exitWorker, lease, rearm } = scaledTimings();
    expect(watchdog.rules).toEqual(DEFAULT_RULE_LIMITS);
    expect(exitWorker).toEqual(DEFAULT_EXIT_TIMINGS);
    expect(lease).toEqual({ ttlMs: LEASE_TTL_MS, peerLivenessMs: PEER_LIVENESS_MS, suspendMaxMs: SUSPEND_MAX_MS });
    expect(rearm.dwellMs).toBe(REARM_DWELL_MS);
  });

  it('divides every time by the factor, never below 1 ms, and leaves counts and tolerances alone', () => {
    const whole = numbers(scaledTimings(1));
    fc.assert(
      fc.property(fc.double({ min: 1, max: SCALE_MAX, noNaN: true }), (scale) => {
        const scaled = numbers(scaledTimings(scale));
        expect([...scaled.keys()]).toEqual([...whole.keys()]);
        for (const [name, value] of scaled) {
          if (name === 'scale') expect(value).toBe(scale);
          else if (name === 'watchdog.rules.maxGenerations') expect(value).toBe(whole.get(name));
          else expect(value, name).toBeCloseTo(Math.max(1, (whole.get(name) ?? 0) / scale), 9);
        }
        expect([...scaled.keys()]).not.toContain('watchdog.stallMs');
      }),
      { seed: fcSeed },
    );
  });

  it('every part accepts the largest scale', () => {
    const bus = createMemoryBus().handle();
    expect(() => checkWatchdogOptions({ bus, ...scaledTimings(SCALE_MAX).watchdog })).not.toThrow();
  });

  it.each([0, 0.99, SCALE_MAX + 1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (scale) => {
    expect(() => scaledTimings(scale)).toThrow(/^scale = /);
  });
});
