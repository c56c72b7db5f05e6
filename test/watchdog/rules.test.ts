import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BrainBeat } from '../../src/messages/heartbeat.js';
import { foldBeat, type ServiceLife, startsWithin } from '../../src/watchdog/observe.js';
import { DEFAULT_RULE_LIMITS as limits } from '../../src/watchdog/options.js';
import { ALL_RULES, firstSuspicion } from '../../src/watchdog/rules/all.js';
import type { ServiceObservation } from '../../src/watchdog/rules/rule.js';
import { accusableInMs, lostContact, provedContact, recovered, type SelfDoubt, startDoubting, tick } from '../../src/watchdog/selfDoubt.js';

const seed = Number(process.env['FC_SEED'] ?? 20_262);

const observation: fc.Arbitrary<ServiceObservation> = fc.record({
  serviceId: fc.constant('brain'),
  account: fc.constant('default'),
  seen: fc.boolean(),
  expected: fc.boolean(),
  mode: fc.constantFrom('HALTED', 'REDUCING', 'ACTIVE'),
  status: fc.constantFrom('OK', 'DEGRADED', 'GOODBYE', undefined),
  beatAgeMs: fc.nat(100_000),
  positions: fc.constantFrom(undefined, 0, 1, 50),
  decisionAgeMs: fc.nat(100_000),
  degradedForMs: fc.option(fc.nat(20_000), { nil: undefined }),
  generationsInWindow: fc.nat(8),
  maintenanceLeftMs: fc.constantFrom(0, 0, 50, 90_000),
});
const judge = (observed: ServiceObservation) => firstSuspicion(ALL_RULES, observed, limits);
const accused = (observed: ServiceObservation) => (judge(observed)?.dueInMs ?? 1) <= 0;

describe('rules', () => {
  it('never accuse a brain that nobody relies on: unexpected and flat, or halted and flat', () => {
    fc.assert(
      fc.property(observation, (o) => {
        expect(accused({ ...o, expected: false, positions: 0 })).toBe(false);
        expect(accused({ ...o, expected: false, positions: undefined })).toBe(false);
        expect(accused({ ...o, mode: 'HALTED', positions: 0 })).toBe(false);
      }),
      { seed },
    );
  });

  it('accuse exactly at their thresholds, and growing older never acquits', () => {
    const base = { seen: true, expected: true, mode: 'ACTIVE', status: 'OK', generationsInWindow: 1, maintenanceLeftMs: 0 } as const;
    const quiet: ServiceObservation = {
      ...base,
      serviceId: 's',
      account: 'a',
      beatAgeMs: 0,
      positions: 0,
      decisionAgeMs: 0,
      degradedForMs: undefined,
    };
    expect(accused({ ...quiet, beatAgeMs: 4_999 })).toBe(false);
    expect(judge({ ...quiet, beatAgeMs: 5_000 })?.rule).toBe('missing');
    expect(accused({ ...quiet, positions: 1, beatAgeMs: 2_999 })).toBe(false);
    expect(judge({ ...quiet, positions: 1, beatAgeMs: 3_000 })?.rule).toBe('unguarded');
    expect(accused({ ...quiet, positions: 1, decisionAgeMs: 29_999 })).toBe(false);
    expect(judge({ ...quiet, positions: 1, decisionAgeMs: 30_000 })?.rule).toBe('decision_stale');
    expect(accused({ ...quiet, decisionAgeMs: 90_000 })).toBe(false);
    expect(judge({ ...quiet, status: 'DEGRADED', degradedForMs: 5_000 })?.rule).toBe('degraded');
    expect(accused({ ...quiet, generationsInWindow: 3 })).toBe(false);
    expect(judge({ ...quiet, generationsInWindow: 4 })?.rule).toBe('flapping');
    fc.assert(
      fc.property(observation, fc.nat(5_000), (o, olderMs) => {
        const relied = { ...o, expected: true, mode: 'ACTIVE', maintenanceLeftMs: 0 } as const;
        if (accused(relied))
          expect(accused({ ...relied, beatAgeMs: relied.beatAgeMs + olderMs, decisionAgeMs: relied.decisionAgeMs + olderMs })).toBe(true);
      }),
      { seed },
    );
  });

  it('L1: what is due in t is not accused a moment before t, and is at t', () => {
    fc.assert(
      fc.property(observation, (o) => {
        const calm = { ...o, degradedForMs: undefined, generationsInWindow: 1 };
        const suspicion = judge(calm);
        if (suspicion === undefined || suspicion.dueInMs <= 1) return;
        const later = (ms: number): ServiceObservation => ({
          ...calm,
          beatAgeMs: calm.beatAgeMs + ms,
          decisionAgeMs: calm.decisionAgeMs + ms,
          maintenanceLeftMs: Math.max(0, calm.maintenanceLeftMs - ms),
        });
        expect(accused(later(suspicion.dueInMs - 1))).toBe(false);
        expect(accused(later(suspicion.dueInMs))).toBe(true);
      }),
      { seed },
    );
  });

  it('S8: no word of a silent brain accuses it during maintenance', () => {
    fc.assert(
      fc.property(observation, (o) => {
        const away = { ...o, maintenanceLeftMs: 1, beatAgeMs: limits.missingMs + 1, generationsInWindow: 2 };
        expect(accused(away)).toBe(false);
      }),
      { seed },
    );
  });
});

describe('what beats show', () => {
  const beat = (said: Partial<BrainBeat>): BrainBeat => ({
    serviceId: 'brain',
    account: 'default',
    generation: 'g1',
    sequence: 1,
    decisionSequence: 1,
    status: 'OK',
    activePositions: 1,
    lastDecisionWallMs: 0,
    latencyMs: 0,
    wallMs: 0,
    ...said,
  });
  const fold = (beats: readonly (readonly [number, Partial<BrainBeat>])[], catchingUp = false): ServiceLife => {
    let life: ServiceLife | undefined;
    for (const [atMs, said] of beats) life = foldBeat(life, beat(said), { atMs, epoch: 1, catchingUp });
    if (life === undefined) throw new Error('no beats');
    return life;
  };

  it('S11: replays of any beats ever seen, in any order and with any stamps, change nothing', () => {
    const history = fc.array(
      fc.record({ generation: fc.constantFrom('a', 'b', 'c'), sequence: fc.nat(20), decisionSequence: fc.nat(20) }),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(history, fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 0, max: 2e12 })), { maxLength: 30 }), (seen, replays) => {
        const life = fold(seen.map((said, index) => [index, said] as const));
        let after = life;
        for (const [index, wallMs] of replays) {
          const replayed = seen[index % seen.length];
          after = foldBeat(after, beat({ ...replayed, wallMs }), { atMs: 1_000, epoch: 1, catchingUp: false });
        }
        expect(after).toBe(life);
      }),
      { seed },
    );
  });

  it('S11: beats without decisions refresh the beat, never the decision; a new life inherits the old decision age and positions', () => {
    const timer = fold([
      [0, {}],
      [1_000, { sequence: 2 }],
      [2_000, { sequence: 3 }],
    ]);
    expect(timer).toMatchObject({ refreshedMs: 2_000, decidedMs: 0 });
    const reborn = fold([
      [0, { activePositions: 4 }],
      [1_000, { generation: 'g2', decisionSequence: 0, activePositions: 0 }],
    ]);
    expect(reborn).toMatchObject({ refreshedMs: 1_000, decidedMs: 0, positions: 4 });
  });

  it('S11: nothing comes after a goodbye but a new life', () => {
    const gone = fold([
      [0, {}],
      [1, { sequence: 2, status: 'GOODBYE' }],
    ]);
    expect(foldBeat(gone, beat({ sequence: 3 }), { atMs: 9, epoch: 1, catchingUp: false })).toBe(gone);
    expect(foldBeat(gone, beat({ generation: 'g2' }), { atMs: 9, epoch: 1, catchingUp: false }).status).toBe('OK');
  });

  it('S8: lives that are read up on together count as one start', () => {
    const lives = Array.from({ length: 6 }, (_, index) => [index, { generation: `g${index}` }] as const);
    expect(startsWithin(fold(lives), 6, 60_000)).toBe(6);
    expect(startsWithin(fold(lives, true), 6, 60_000)).toBe(1);
  });
});

describe('self-doubt', () => {
  const doubtLimits = { tickGapMs: 375, contactMaxAgeMs: 1_500, reconnectAllowanceMs: 2_000 };
  const sure = (): SelfDoubt => recovered(startDoubting(0), 0, doubtLimits);

  it('S8: healthy time never outruns real time nor runs backwards, and a stall counts at most one tolerated gap', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('tick'), gapMs: fc.integer({ min: 0, max: 20_000 }) }),
      fc.record({ kind: fc.constantFrom('lost', 'proved', 'recovered'), gapMs: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let state = sure();
        let nowMs = 0;
        for (const { kind, gapMs } of events) {
          const before = state;
          nowMs += gapMs;
          if (kind === 'tick') state = tick(state, nowMs, doubtLimits);
          else if (kind === 'lost') state = lostContact(state, nowMs);
          else if (kind === 'proved') state = provedContact(state, nowMs);
          else state = recovered(state, nowMs, doubtLimits);
          expect(state.healthyMs - before.healthyMs).toBeGreaterThanOrEqual(0);
          expect(state.healthyMs - before.healthyMs).toBeLessThanOrEqual(Math.min(gapMs, doubtLimits.tickGapMs));
          if (gapMs > doubtLimits.tickGapMs) expect(accusableInMs(state, 0, doubtLimits)).toBeUndefined();
        }
      }),
      { seed },
    );
  });

  it('S8: after doubt nobody is accused for the allowance; a probe sent before the doubt does not end it', () => {
    let state = tick(sure(), 5_000, doubtLimits);
    expect(state.doubt).toBe('stalled');
    state = recovered(state, 4_999, doubtLimits);
    expect(state.doubt).toBe('stalled');
    state = recovered(state, 5_001, doubtLimits);
    expect(accusableInMs(state, 0, doubtLimits)).toBe(2_000);
    expect(accusableInMs(state, 6_000, doubtLimits)).toBe(0);
    expect(tick(recovered(startDoubting(0), 0, doubtLimits), 100, doubtLimits).doubt).toBeUndefined();
  });

  it('S8: time without contact is not held against anybody', () => {
    let state = lostContact(tick(sure(), 300, doubtLimits), 300);
    for (let nowMs = 400; nowMs < 9_000; nowMs += 100) state = tick(state, nowMs, doubtLimits);
    expect(state.healthyMs).toBe(300);
  });
});
