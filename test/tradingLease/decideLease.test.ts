import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeerBeat } from '../../src/messages/peerBeat.js';
import { decideLease, type LeaseObservation, renewalRefusal, runsAt, standingGrant } from '../../src/tradingLease/decideLease.js';
import type { Sighting } from '../../src/tradingState/sightings.js';
import { fcSeed } from '../support/seed.js';
import { ACTIVE, Peer } from './fixture.js';

const config = {
  account: 'default',
  peerLivenessMs: 500,
  workerBookAgeMaxMs: 10_000,
  require: ['watchdog', 'exit-worker'],
  peersOn: 'other-process',
  suspendMaxMs: 10_000,
} as const;
const NOW = 100_000;

function seen(value: PeerBeat, ageMs: number | undefined): Sighting<PeerBeat> {
  const lastAdvanceMs = ageMs === undefined ? undefined : NOW - ageMs;
  return { name: value.peerId, generation: 'g', value, firstSeenMs: 0, lastSeenMs: NOW, advances: 1, lastAdvanceMs, sequence: 2 };
}

const watchdog = new Peer('w', 1).beat;
const worker = new Peer('x', 2, { worker: { account: 'default', identityMatches: true, bookAgeMs: 1 } }).beat;

describe('decideLease', () => {
  it('S3: a read renews only when every single condition holds; each that fails refuses by itself', () => {
    const halts = [{ id: 'h', kind: 'manual', by: 'op', reason: 'r', sinceWallMs: 1 }] as const;
    const holds = fc.record({
      closed: fc.constantFrom(false, true),
      registered: fc.constantFrom(true, true, false),
      attestedEpoch: fc.constantFrom(1, 1, 0, 2, undefined),
      state: fc.constantFrom(
        ACTIVE,
        ACTIVE,
        undefined,
        { ...ACTIVE, mode: 'REDUCING' as const },
        { ...ACTIVE, mode: 'HALTED' as const, halts },
      ),
      doubt: fc.constantFrom(undefined, undefined, 'doubt'),
      watchdogAgeMs: fc.constantFrom(0, 500, 501, undefined),
      workerAgeMs: fc.constantFrom(0, 500, 501, undefined),
    });
    fc.assert(
      fc.property(holds, ({ watchdogAgeMs, workerAgeMs, ...rest }) => {
        const self = { host: 'h', bootId: 'b', pid: 3 };
        const peers = { watchdogs: [seen(watchdog, watchdogAgeMs)], workers: [seen(worker, workerAgeMs)] };
        const observation: LeaseObservation = { self, grant: undefined, stateProvedMs: NOW - 10, ...peers, ...rest };
        const fresh = (ageMs: number | undefined) => ageMs !== undefined && ageMs <= 500;
        const all =
          !rest.closed &&
          rest.registered &&
          rest.attestedEpoch === 1 &&
          rest.state === ACTIVE &&
          rest.doubt === undefined &&
          fresh(watchdogAgeMs) &&
          fresh(workerAgeMs);
        expect(renewalRefusal(observation, NOW, config) === undefined).toBe(all);
        expect(decideLease(observation, NOW, config).kind).not.toBe('held');
        const grant = { epoch: 1, sentMs: NOW - 10, wallMs: 0, untilMs: NOW + 740 };
        const held = decideLease({ ...observation, grant }, NOW, config).kind === 'held';
        expect(held).toBe(!rest.closed && rest.state === ACTIVE && rest.doubt === undefined);
        expect(decideLease({ ...observation, grant: { ...grant, epoch: 2 } }, NOW, config).kind).not.toBe('held');
      }),
      { seed: fcSeed, numRuns: 500 },
    );
  });

  it('S3: the grant that stands runs at exactly the readings at which the lease is held, whatever else is known', () => {
    const observations = fc.record({
      closed: fc.constantFrom(false, false, true),
      doubt: fc.constantFrom(undefined, undefined, 'doubt'),
      state: fc.constantFrom(ACTIVE, ACTIVE, undefined, { ...ACTIVE, mode: 'REDUCING' as const }, { ...ACTIVE, epoch: 2 }),
      grant: fc.option(
        fc.record({ epoch: fc.constantFrom(1, 2), sentMs: fc.constantFrom(-10, 0, 10), untilMs: fc.constantFrom(0, 10, 20) }),
        {
          nil: undefined,
        },
      ),
    });
    const readings = fc.constantFrom(-11, -10, 0, 9.5, 10, 19.5, 20, Number.NaN, Infinity);
    const held = { yes: 0, no: 0 };
    fc.assert(
      fc.property(observations, readings, (known, nowMs) => {
        const self = { host: 'h', bootId: 'b', pid: 3 };
        const grant = known.grant && { wallMs: 0, ...known.grant };
        const rest = { self, registered: true, attestedEpoch: 1, stateProvedMs: 0, watchdogs: [], workers: [] };
        const observation: LeaseObservation = { ...rest, ...known, grant };
        const standing = standingGrant(observation);
        const runs = standing !== undefined && runsAt(standing, nowMs);
        held[runs ? 'yes' : 'no'] += 1;
        expect(runs).toBe(decideLease(observation, nowMs, config).kind === 'held');
      }),
      { seed: fcSeed, numRuns: 2_000 },
    );
    expect(held.yes).toBeGreaterThan(10);
    expect(held.no).toBeGreaterThan(50);
  });
});
