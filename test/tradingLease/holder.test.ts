import { describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { decodeHolderReport, encodeHolderReport, type HolderReport, LEASE_HOLDER } from '../../src/messages/holder.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { Holder, underWay } from '../../src/tradingLease/holder.js';
import { leaseConfig } from '../../src/tradingLease/options.js';
import { readAll } from '../../src/tradingState/incidents.js';

const SEEN = { epoch: 3, version: 8 };

function holderOn(over: (bus: Bus) => Partial<Bus> = () => ({})) {
  const clock = new ManualClock();
  const real = createMemoryBus({ clock }).handle();
  const bus: Bus = { ...real, append: real.append.bind(real), latest: real.latest.bind(real), ...over(real) };
  const warnings: [details: object, message: string][] = [];
  const warn = (details: object, message: string) => void warnings.push([details, message]);
  const view = { inflight: () => 2, unknownOutcomes: () => 1 };
  const self = { host: 'h', bootId: 'b', pid: 7 };
  const logger = { debug() {}, info() {}, warn, error() {} };
  const config = leaseConfig({ bus, clock, self, logger, inflight: view, holderId: 'me', account: 'a', brokerTimeoutMs: 4_000 });
  const reports = async () => (await readAll(real, { stream: LEASE_HOLDER, decode: decodeHolderReport })).values;
  return { holder: new Holder(config), real, reports, warnings, wallMs: () => Math.round(clock.wallMs()) };
}

describe('underWay', () => {
  it('S5: says nothing where nobody can count: without a view, with one that throws, or with one that does not count', () => {
    const view = (inflight: number, unknown = 0) => ({ inflight: () => inflight, unknownOutcomes: () => unknown });
    expect(underWay({ inflight: view(0) })).toEqual({ inflight: 0, unknownOutcomes: 0 });
    expect(underWay({ inflight: view(3, 2) })).toEqual({ inflight: 3, unknownOutcomes: 2 });
    for (const wrong of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY]) {
      expect(underWay({ inflight: view(wrong) })).toBeUndefined();
      expect(underWay({ inflight: view(0, wrong) })).toBeUndefined();
    }
    expect(underWay({ inflight: undefined })).toBeUndefined();
    const throwing = () => {
      throw new Error('broken');
    };
    expect(underWay({ inflight: { inflight: throwing, unknownOutcomes: () => 0 } })).toBeUndefined();
    expect(underWay({ inflight: { inflight: () => 0, unknownOutcomes: throwing } })).toBeUndefined();
  });
});

describe('Holder', () => {
  it('registers with all that an exit must know, and reads back that it did', async () => {
    const { holder, reports, warnings, wallMs } = holderOn();
    expect(await holder.register(SEEN)).toBe(true);
    const identity = { holderId: 'me', account: 'a', host: 'h', bootId: 'b', pid: 7 };
    const counts = { inflight: 2, unknownOutcomes: 1, brokerTimeoutMs: 4_000, leaseTtlMs: 750 };
    expect(await reports()).toEqual([{ ...identity, ...counts, event: 'registered', epoch: 3, stateVersion: 8, wallMs: wallMs() }]);
    expect(warnings).toEqual([]);
  });

  it('reports nothing under way where no count is given', async () => {
    const { holder, reports } = holderOn();
    expect(await holder.report('attested', SEEN)).toBe(true);
    expect(await reports()).toMatchObject([{ event: 'attested', inflight: 0, unknownOutcomes: 0 }]);
  });

  it('S5: reports go out one after the other, in the order in which they were made', async () => {
    let under = 0;
    const { holder, reports } = holderOn((real) => ({
      append: async (...args) => {
        under += 1;
        expect(under).toBe(1);
        // The first is the slowest.
        for (let turns = 10; turns > 0; turns -= 1) await Promise.resolve();
        under -= 1;
        return real.append(...args);
      },
    }));
    await Promise.all([holder.report('registered', SEEN), holder.report('attested', SEEN), holder.report('drained', SEEN)]);
    expect((await reports()).map(({ event }) => event)).toEqual(['registered', 'attested', 'drained']);
  });

  it.each([
    ['is refused', async () => ({ outcome: 'unknown', detail: 'cut' }) as const, { result: { outcome: 'unknown', detail: 'cut' } }],
    [
      'throws',
      async () => {
        throw new Error('gone');
      },
      { error: 'gone' },
    ],
  ])('S5: a report that %s is not taken for said, is told, and holds up no later one', async (_, append, details) => {
    let isDown = true;
    const { holder, reports, warnings } = holderOn((real) => ({ append: (...args) => (isDown ? append() : real.append(...args)) }));
    expect(await holder.report('drained', SEEN)).toBe(false);
    expect(warnings).toEqual([[{ event: 'drained', ...details }, 'a report of this holder is not committed']]);
    expect(await holder.register(SEEN)).toBe(false);
    isDown = false;
    expect(await holder.register(SEEN)).toBe(true);
    expect(await reports()).toHaveLength(1);
  });

  it('S3: is not registered while what is read back is not its own word', async () => {
    const mine: HolderReport = {
      ...{ holderId: 'me', account: 'a', host: 'h', bootId: 'b', pid: 7, event: 'registered', epoch: 3, stateVersion: 8 },
      ...{ brokerTimeoutMs: 4_000, leaseTtlMs: 750, inflight: 0, unknownOutcomes: 0, wallMs: 1 },
    };
    const readBack = async (fields: Readonly<Record<string, string>> | undefined) => {
      const record = { stream: LEASE_HOLDER, key: 'me', id: '1', appendedWallMs: 0, receivedMs: 0 };
      const latest: Bus['latest'] = async () => (fields === undefined ? undefined : { ...record, fields });
      const { holder, warnings } = holderOn(() => ({ latest }));
      const isRegistered = await holder.register(SEEN);
      // It was read back, and says something else: nothing has failed.
      expect(warnings).toEqual([]);
      return isRegistered;
    };
    expect(await readBack(encodeHolderReport(mine))).toBe(true);
    for (const other of [{ holderId: 'you' }, { account: 'b' }, { pid: 8 }, { bootId: 'c' }])
      expect(await readBack(encodeHolderReport({ ...mine, ...other }))).toBe(false);
    expect(await readBack({ schema: '1' })).toBe(false);
    expect(await readBack(undefined)).toBe(false);
  });

  it('S3: is not registered while nothing can be read back, and tells why', async () => {
    const { holder, warnings } = holderOn(() => ({
      latest: async () => {
        throw new Error('frozen');
      },
    }));
    expect(await holder.register(SEEN)).toBe(false);
    expect(warnings).toEqual([[{ error: 'frozen' }, 'the registration of this holder could not be read back']]);
  });
});
