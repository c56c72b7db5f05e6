import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { systemClock } from '../../src/clock.js';
import { ConfigurationError } from '../../src/errors.js';
import { hostIdentity } from '../../src/host.js';
import { systemRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { leaseConfig, type TradingLeaseOptions } from '../../src/tradingLease/options.js';

const bus = createMemoryBus().handle();
const config = (options: object) => leaseConfig({ bus, ...options });

describe('leaseConfig', () => {
  it('has the defaults that are documented', () => {
    const { holderId, logger, ...rest } = config({});
    expect(rest).toEqual({
      bus,
      account: 'default',
      inflight: undefined,
      brokerTimeoutMs: 5_000,
      ttlMs: 750,
      peerLivenessMs: 500,
      suspendMaxMs: 10_000,
      workerBookAgeMaxMs: 10_000,
      wallDivergenceMs: 250,
      require: ['watchdog', 'exit-worker'],
      peersOn: 'other-process',
      venueEnforcesReduceOnly: false,
      drainPollMs: 50,
      closeTimeoutMs: 5_500,
      self: hostIdentity(),
      clock: systemClock,
      random: systemRandom,
    });
    expect(holderId).not.toBe(config({}).holderId);
    expect(() => logger.warn({}, 'nobody listens')).not.toThrow();
  });

  it('takes every option that it is given', () => {
    const given: TradingLeaseOptions = {
      ...{ bus, account: 'a', inflight: { inflight: () => 0, unknownOutcomes: () => 0 }, brokerTimeoutMs: 1_000, ttlMs: 300 },
      ...{ peerLivenessMs: 200, suspendMaxMs: 400, workerBookAgeMaxMs: 5, wallDivergenceMs: 6, require: ['watchdog'] },
      ...{ peersOn: 'other-host', venueEnforcesReduceOnly: true, drainPollMs: 7, closeTimeoutMs: 8, holderId: 'me' },
      ...{ self: { host: 'x', bootId: 'y', pid: 1 }, clock: new ManualClock(), random: { ...systemRandom, id: () => 'z' } },
    };
    const { logger: _, ...taken } = config(given);
    expect(taken).toEqual(given);
    expect(config({ brokerTimeoutMs: 1_000 }).closeTimeoutMs).toBe(1_500);
    expect(config({ random: given.random }).holderId).toBe('z');
    expect(config({ venueEnforcesReduceOnly: 1 }).venueEnforcesReduceOnly).toBe(false);
  });

  it('takes what lies on a bound, and refuses what lies beyond it with field, value and bound', () => {
    const bounds: readonly (readonly [field: string, least: number, most: number, beside?: object])[] = [
      ['brokerTimeoutMs', 1, 600_000],
      ['suspendMaxMs', 750, 60_000],
      ['workerBookAgeMaxMs', 1, 60_000],
      ['wallDivergenceMs', 1, 10_000],
      ['drainPollMs', 1, 10_000],
      ['ttlMs', 2, 60_000, { peerLivenessMs: 1, suspendMaxMs: 60_000 }],
      ['peerLivenessMs', 1, 749],
      ['closeTimeoutMs', 0, 2_147_483_647],
    ];
    for (const [field, least, most, beside] of bounds) {
      for (const value of [least, most]) expect(config({ ...beside, [field]: value })).toMatchObject({ [field]: value });
      for (const value of [least - 1, most + 1, Number.NaN, '5']) {
        expect(() => config({ ...beside, [field]: value }), `${field} ${value}`).toThrow(ConfigurationError);
      }
    }
    expect(() => config({ peerLivenessMs: 0.5 })).toThrow('peerLivenessMs = 0.5: must be a finite number between 1 and');
    expect(() => config({ ttlMs: 0.5, peerLivenessMs: 1 })).toThrow('ttlMs = 0.5: must be a finite number between 1 and');
    expect(() => config({ ttlMs: 500 })).toThrow('ttlMs = 500: must be above peerLivenessMs (500)');
  });

  it('S5: registers no shorter broker timeout than a guard of its view has begun with', () => {
    const view = (longestMs: () => number) => ({ inflight: () => 0, unknownOutcomes: () => 0, longestBrokerTimeoutMs: longestMs });
    const registered = (longestMs: () => number, options: object = {}) => config({ inflight: view(longestMs), ...options }).brokerTimeoutMs;
    expect(registered(() => 4_000)).toBe(5_000);
    expect(registered(() => 7_000)).toBe(7_000);
    expect(registered(() => 7_000, { brokerTimeoutMs: 7_000 })).toBe(7_000);
    expect(() => registered(() => 7_000, { brokerTimeoutMs: 6_999 })).toThrow(
      'brokerTimeoutMs = 6999: must be at least 7000: so long may a call take that a guard of the same gate has begun',
    );
    const throwing = () => {
      throw new Error('broken');
    };
    for (const silent of [throwing, () => Number.NaN, () => Number.POSITIVE_INFINITY]) expect(registered(silent)).toBe(5_000);
    expect(() => config({ brokerTimeoutMs: 0.5 })).toThrow('brokerTimeoutMs = 0.5: must be a finite number between 1 and 600000');
  });

  it('refuses names and choices that nobody knows', () => {
    expect(() => config({ account: 'a b' })).toThrow('account = "a b": must be 1 to 100');
    expect(() => config({ holderId: '' })).toThrow('holderId = "": must be 1 to 100');
    expect(() => config({ peersOn: 'moon' })).toThrow('peersOn = "moon": must be one of other-process, other-host');
    expect(() => config({ require: [] })).toThrow('require = []: must name at least one peer');
    expect(() => config({ require: 'watchdog' })).toThrow('require = "watchdog": must name at least one peer');
    expect(() => config({ require: ['nobody'] })).toThrow('require = "nobody": must be one of watchdog, exit-worker');
  });
});
