import { describe, expect, it } from 'vitest';
import type { PeerBeat } from '../../src/messages/peerBeat.js';
import {
  type DecisionConfig,
  decideLease,
  exitDoubt,
  type LeaseObservation,
  peerRefusal,
  renewalRefusal,
} from '../../src/tradingLease/decideLease.js';
import type { Sighting } from '../../src/tradingState/sightings.js';
import { ACTIVE, Peer } from './fixture.js';

const NOW = 100_000;
const config: DecisionConfig = {
  account: 'default',
  peerLivenessMs: 500,
  workerBookAgeMaxMs: 10_000,
  require: ['watchdog', 'exit-worker'],
  peersOn: 'other-process',
  suspendMaxMs: 10_000,
};
const able = { account: 'default', identityMatches: true, bookAgeMs: 10_000 };

function seen(value: PeerBeat, ageMs: number | undefined = 0): Sighting<PeerBeat> {
  const lastAdvanceMs = ageMs === undefined ? undefined : NOW - ageMs;
  return { name: value.peerId, generation: 'g', value, firstSeenMs: 0, lastSeenMs: NOW, advances: 1, lastAdvanceMs, sequence: 2 };
}

const watchdog = (pid = 1, place: Partial<PeerBeat> = {}) => new Peer('w', pid, place).beat;
const worker = (pid = 2, place: Partial<PeerBeat> = {}) => new Peer('x', pid, { worker: able, ...place }).beat;

const RENEWS: LeaseObservation = {
  self: { host: 'h', bootId: 'b', pid: 3 },
  closed: false,
  registered: true,
  attestedEpoch: 1,
  state: ACTIVE,
  stateProvedMs: NOW - 10,
  doubt: undefined,
  grant: { epoch: 1, sentMs: NOW - 10, wallMs: 0, untilMs: NOW + 740 },
  watchdogs: [seen(watchdog())],
  workers: [seen(worker())],
};
const lapsed = (sinceMs: number) => ({ epoch: 1, sentMs: NOW - sinceMs - 750, wallMs: 0, untilMs: NOW - sinceMs });
const renewal = (changes: Partial<LeaseObservation>) => renewalRefusal({ ...RENEWS, ...changes }, NOW, config);
const decision = (changes: Partial<LeaseObservation>) => decideLease({ ...RENEWS, ...changes }, NOW, config);

describe('peerRefusal', () => {
  const peers = (changes: Partial<LeaseObservation>, more: Partial<DecisionConfig> = {}) =>
    peerRefusal({ ...RENEWS, ...changes }, NOW, { ...config, ...more });
  const NO_WATCHDOG = 'no watchdog is alive';
  const NO_WORKER = 'no exit worker is alive';
  const UNABLE = 'no exit worker is able to close default: wrong account, wrong venue or no fresh book';
  const ONE = 'watchdog and exit worker are one process, and count as one';

  it('S3: a peer counts up to the last moment of its liveness, and not beyond', () => {
    expect(peers({ watchdogs: [seen(watchdog(), 500)], workers: [seen(worker(), 500)] })).toBeUndefined();
    for (const ageMs of [501, Number.NaN, undefined]) {
      const late = { ...seen(watchdog()), lastAdvanceMs: ageMs === undefined ? undefined : NOW - ageMs };
      expect(peers({ watchdogs: [late] })).toBe(NO_WATCHDOG);
      expect(peers({ workers: [{ ...late, value: worker() }] })).toBe(NO_WORKER);
    }
    expect(peers({ watchdogs: [] })).toBe(NO_WATCHDOG);
    expect(peers({ workers: [] })).toBe(NO_WORKER);
  });

  it('S3: a worker counts only with a fresh book of the right account at the right venue', () => {
    const { worker: _, ...none } = worker();
    expect(peers({ workers: [seen(none)] })).toBe(UNABLE);
    for (const wrong of [
      { ...able, account: 'other' },
      { ...able, identityMatches: false },
      { ...able, bookAgeMs: 10_001 },
      { account: 'default', identityMatches: true },
    ])
      expect(peers({ workers: [seen(worker(2, { worker: wrong }))] })).toBe(UNABLE);
  });

  it('S3: who runs in the process of the holder watches nobody, and one process is one peer', () => {
    expect(peers({ watchdogs: [seen(watchdog(3))] })).toBe('no watchdog runs on its own (other-process)');
    expect(peers({ workers: [seen(worker(3))] })).toBe('no exit worker runs on its own (other-process)');
    expect(peers({ watchdogs: [seen(watchdog(2))] })).toBe(ONE);
    // The same number on another host, or since another boot, is another process.
    for (const place of [{ host: 'i' }, { bootId: 'c' }]) {
      expect(peers({ watchdogs: [seen(watchdog(3, place))], workers: [seen(worker(3, { ...place, pid: 4 }))] })).toBeUndefined();
      expect(peers({ watchdogs: [seen(watchdog(2, place))] })).toBeUndefined();
    }
    const both = [seen(watchdog(2)), seen(watchdog(1))];
    expect(peers({ watchdogs: both })).toBeUndefined();
    expect(peers({ watchdogs: [seen(watchdog(2))], workers: [seen(worker(2)), seen(worker(4))] })).toBeUndefined();
  });

  it('S3: where another host is asked for, another process does not do', () => {
    const far = { peersOn: 'other-host' } as const;
    expect(peers({}, far)).toBe('no watchdog runs on its own (other-host)');
    const watchdogs = [seen(watchdog(1, { host: 'i' }))];
    expect(peers({ watchdogs }, far)).toBe('no exit worker runs on its own (other-host)');
    expect(peers({ watchdogs, workers: [seen(worker(2, { host: 'j' }))] }, far)).toBeUndefined();
  });

  it('asks only for those that are required', () => {
    expect(peers({ workers: [] }, { require: ['watchdog'] })).toBeUndefined();
    expect(peers({ watchdogs: [] }, { require: ['watchdog'] })).toBe(NO_WATCHDOG);
    expect(peers({ watchdogs: [] }, { require: ['exit-worker'] })).toBeUndefined();
    expect(peers({ workers: [] }, { require: ['exit-worker'] })).toBe(NO_WORKER);
  });
});

describe('renewalRefusal', () => {
  it('tells the first reason why a read does not renew', () => {
    const halts = [{ id: 'h', kind: 'manual', by: 'op', reason: 'enough', sinceWallMs: 1 }] as const;
    const reasons: readonly (readonly [changes: Partial<LeaseObservation>, reason: string | undefined])[] = [
      [{}, undefined],
      [{ closed: true, doubt: 'doubt' }, 'the lease is closed'],
      [{ doubt: 'it has forgotten' }, 'it has forgotten'],
      [{ state: undefined }, 'the trading state has not been read yet'],
      [{ state: { ...ACTIVE, mode: 'HALTED' } }, 'trading was never armed'],
      [{ state: { ...ACTIVE, mode: 'HALTED', halts } }, 'op: enough'],
      [{ state: { ...ACTIVE, mode: 'REDUCING' } }, 'trading is REDUCING, set by operator'],
      [{ registered: false }, 'this holder is not registered yet'],
      [{ attestedEpoch: undefined }, 'epoch 1 is not attested yet'],
      [{ attestedEpoch: 2 }, 'epoch 1 is not attested yet'],
      [{ grant: lapsed(10_000) }, undefined],
      [{ grant: lapsed(10_001) }, 'suspended for longer than 10000 ms: a person must arm again'],
      [{ grant: { ...lapsed(10_001), epoch: 0 } }, undefined],
      [{ grant: undefined }, undefined],
      [{ watchdogs: [] }, 'no watchdog is alive'],
    ];
    for (const [changes, reason] of reasons) expect(renewal(changes)).toBe(reason);
  });
});

describe('decideLease', () => {
  const halt = { id: 'h', kind: 'exit', by: 'w', reason: 'dead', sinceWallMs: 5 } as const;

  it('S3: holds from the moment when the renewing read was sent until the renewal ends, and with no number that is none', () => {
    const grant = { epoch: 1, sentMs: 50, wallMs: 0, untilMs: 800 };
    const at = (nowMs: number) => decideLease({ ...RENEWS, grant }, nowMs, config).kind;
    expect([49, 50, 799, 800, Number.NaN].map(at)).toEqual(['suspended', 'held', 'held', 'suspended', 'suspended']);
    expect(decision({})).toEqual({ kind: 'held', untilMs: NOW + 740 });
  });

  it('S7: tells since when it is suspended, why, and when it may no longer return by itself', () => {
    const why = 'the last renewal has lapsed';
    expect(decision({ grant: lapsed(10_000) })).toEqual({ kind: 'suspended', sinceMs: NOW - 10_000, overdue: false, why });
    const late = { kind: 'suspended', overdue: true, why: 'suspended for longer than 10000 ms: a person must arm again' };
    expect(decision({ grant: lapsed(10_001) })).toEqual({ ...late, sinceMs: NOW - 10_001 });
    expect(decision({ grant: lapsed(5), workers: [] })).toMatchObject({ kind: 'suspended', why: 'no exit worker is alive' });
  });

  it('S3: is missing until a renewal of this very epoch', () => {
    const missing = (why: string) => ({ kind: 'missing', why });
    expect(decision({ closed: true })).toEqual(missing('the lease is closed'));
    expect(decision({ state: undefined })).toEqual(missing('the trading state has not been read yet'));
    expect(decision({ grant: undefined })).toEqual(missing('no renewal yet'));
    expect(decision({ grant: { ...lapsed(5), epoch: 2 } })).toEqual(missing('no renewal yet'));
    expect(decision({ grant: undefined, registered: false })).toEqual(missing('this holder is not registered yet'));
  });

  it('S3: is halted by a halt, by doubt and by never having been armed, and tells since when', () => {
    const state = { ...ACTIVE, changedWallMs: 9 };
    const halted = { ...state, mode: 'HALTED' as const };
    const never = { kind: 'halted', why: 'trading was never armed', sinceWallMs: 9, halts: [] };
    expect(decision({ state: halted })).toEqual(never);
    expect(decision({ state: { ...halted, halts: [halt] } })).toEqual({ ...never, why: 'w: dead', sinceWallMs: 5, halts: [halt] });
    expect(decision({ state, doubt: 'torn' })).toEqual({ ...never, why: 'torn' });
    expect(decision({ state: { ...halted, halts: [halt] }, doubt: 'torn' })).toEqual({ ...never, why: 'torn', halts: [halt] });
    expect(decision({ state: undefined, doubt: 'torn' })).toEqual({ ...never, why: 'torn', sinceWallMs: 0 });
  });

  it('S3: only reduces in any mode that is not ACTIVE, also one that it does not know', () => {
    const reducing = { kind: 'reducing', sinceWallMs: 9, why: 'trading is REDUCING, set by operator' };
    expect(decision({ state: { ...ACTIVE, mode: 'REDUCING', changedWallMs: 9 } })).toEqual(reducing);
    const unknown = { ...ACTIVE, mode: 'SOON' as 'ACTIVE' };
    expect(decision({ state: unknown })).toMatchObject({ kind: 'reducing', why: 'trading is SOON, set by operator' });
  });
});

describe('exitDoubt', () => {
  const doubt = (changes: Partial<LeaseObservation>, nowMs = NOW) => exitDoubt({ ...RENEWS, ...changes }, nowMs, 750);

  it('S10: there is none only within ttlMs of a read, at an epoch that this holder is registered for', () => {
    expect(doubt({})).toBeUndefined();
    expect(doubt({ doubt: 'torn' })).toBe('torn');
    for (const unread of [{ state: undefined }, { stateProvedMs: undefined }])
      expect(doubt(unread)).toBe('the trading state has not been read yet');
    for (const unknown of [{ registered: false }, { attestedEpoch: 0 }])
      expect(doubt(unknown)).toBe('this holder is not registered for epoch 1 yet');
  });

  it('S10: a reading of the clock from before the read, from ttlMs after it, or that is no number proves nothing', () => {
    const stateProvedMs = 1_000;
    for (const nowMs of [1_000, 1_749.9]) expect(doubt({ stateProvedMs }, nowMs)).toBeUndefined();
    expect(doubt({ stateProvedMs }, 1_750.4)).toBe('the trading state was last read 750 ms ago');
    expect(doubt({ stateProvedMs }, 1_750)).toBe('the trading state was last read 750 ms ago');
    expect(doubt({ stateProvedMs }, 999)).toBe('the trading state was last read -1 ms ago');
    expect(doubt({ stateProvedMs }, Number.NaN)).toBe('the trading state was last read NaN ms ago');
  });
});
