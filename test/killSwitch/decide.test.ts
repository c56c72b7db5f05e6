import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concerns, decide, decideExit, lapse, NEVER_READ, type Observation, type Standing, stands } from '../../src/killSwitch/decide.js';
import type { Opinion } from '../../src/killSwitch/source.js';
import { fcSeed } from '../support/seed.js';
import { DOUBT, HALTED, NOTHING, OFF, ScriptedSource } from './support.js';

const LIMITS = { maxStalenessMs: 1_000, wallDivergenceMs: 250 };
const WALL_AHEAD_MS = 1_440_000_000_000;

function seen(opinion: Opinion, sentMs = 5_000, { tellsExits = false, wallMs = sentMs + WALL_AHEAD_MS } = {}): Observation {
  const source = new ScriptedSource(opinion.from);
  source.tellsExits = tellsExits;
  return { source, opinion, sent: { sentMs, wallMs } };
}

function standing(observations: readonly Observation[]): Standing {
  const verdict = decide(observations, LIMITS);
  if (verdict.halted) throw new Error(`halted: ${verdict.reason}`);
  return verdict;
}

describe('the verdict over several sources', () => {
  it.each<[string, readonly Opinion[], unknown]>([
    ['one off', [OFF('a')], { halted: false }],
    ['off, and one without an opinion', [OFF('a'), NOTHING('b')], { halted: false }],
    ['one halts', [OFF('a'), HALTED('b')], { halted: true, source: 'b', reason: 'b says "1"' }],
    ['one is in doubt', [OFF('a'), DOUBT('b')], { halted: true, source: 'b', reason: 'b is empty' }],
    ['a halt is told before a doubt', [DOUBT('a'), HALTED('b')], { halted: true, source: 'b' }],
    ['the first of two halts is told', [HALTED('a'), HALTED('b')], { halted: true, source: 'a' }],
    ['the first of two doubts is told', [OFF('x'), DOUBT('a'), DOUBT('b')], { halted: true, source: 'a' }],
    [
      'none has an opinion',
      [NOTHING('a'), NOTHING('b')],
      { halted: true, source: 'none', reason: 'no source has an opinion: a is not set; b is not set' },
    ],
    ['there is none', [], { halted: true, source: 'none', reason: 'no source has an opinion: there is none' }],
  ])('S3: %s', (_name, opinions, expected) => {
    expect(
      decide(
        opinions.map((opinion) => seen(opinion)),
        LIMITS,
      ),
    ).toMatchObject(expected as object);
  });

  it('S3: is off only if none halts, none doubts and one says off, in whatever order', () => {
    const opinion = fc.constantFrom(OFF, HALTED, DOUBT, NOTHING).chain((make) => fc.constantFrom('a', 'b', 'c').map(make));
    fc.assert(
      fc.property(fc.array(opinion, { maxLength: 6 }), (opinions) => {
        const says = opinions.map((one) => one.says);
        const off = says.includes('off') && !says.includes('halted') && !says.includes('doubt');
        expect(
          decide(
            opinions.map((one) => seen(one)),
            LIMITS,
          ).halted,
        ).toBe(!off);
      }),
      { seed: fcSeed, numRuns: 500 },
    );
  });

  it('S3: counts from the newest answer on, until the oldest is stale, and names that one', () => {
    expect(standing([seen(OFF('a'), 5_000), seen(NOTHING('b'), 4_700), seen(OFF('c'), 4_900)])).toMatchObject({
      fromMs: 5_000,
      untilMs: 5_700,
      oldest: 'b',
    });
    expect(standing([seen(OFF('a'), 4_700), seen(OFF('b'), 4_900)])).toMatchObject({ fromMs: 4_900, untilMs: 5_700, oldest: 'a' });
    expect(standing([seen(OFF('a'), 4_700), seen(OFF('b'), 4_700)]).oldest).toBe('a');
  });

  it('L4: bounds how far the clocks may drift apart, by each of the answers', () => {
    const drifted = seen(OFF('b'), 5_000, { wallMs: 5_000 + WALL_AHEAD_MS + 100 });
    expect(standing([seen(OFF('a')), drifted])).toMatchObject({ leastOffsetMs: WALL_AHEAD_MS - 150, mostOffsetMs: WALL_AHEAD_MS + 250 });
  });
});

describe('whether it stands', () => {
  const answers = standing([seen(OFF('a'), 5_000), seen(OFF('b'), 4_700)]);
  const at = (nowMs: number, stepMs = 0) => stands(answers, nowMs, nowMs + WALL_AHEAD_MS + stepMs);

  it.each([
    [4_999, 0, false],
    [5_000, 0, true],
    [5_700, 0, true],
    [5_700.1, 0, false],
    [5_100, 250, true],
    [5_100, 251, false],
    [5_100, -250, true],
    [5_100, -251, false],
    [Number.NaN, 0, false],
    [Infinity, 0, false],
    [-Infinity, 0, false],
    [5_100, Number.NaN, false],
  ])('S3: at %d, with the wall clock stepped by %d: %s', (nowMs, stepMs, expected) => {
    expect(at(nowMs, stepMs)).toBe(expected);
  });

  it('S3: is false with an answer that never came, or that came at a reading which is no number', () => {
    for (const sent of [NEVER_READ, { sentMs: Number.NaN, wallMs: 1 }]) {
      const verdict = standing([seen(OFF('a')), { ...seen(OFF('b')), sent }]);
      expect(stands(verdict, 5_000, 5_000 + WALL_AHEAD_MS)).toBe(false);
    }
  });

  it('says why not', () => {
    expect(lapse(answers, 5_701.4, LIMITS)).toEqual({
      source: 'b',
      reason: 'b is stale: it was last read 1001 ms ago, at most 1000 are allowed',
    });
    expect(lapse(answers, 5_700, LIMITS)).toMatchObject({
      source: 'clock',
      reason: expect.stringContaining('the host was suspended') as unknown,
    });
    expect(lapse(answers, 5_000, LIMITS).reason).toContain('the host was suspended');
    expect(lapse(answers, 4_999, LIMITS)).toMatchObject({
      source: 'clock',
      reason: expect.stringContaining('(4999) is from before the last read') as unknown,
    });
    expect(lapse(answers, Number.NaN, LIMITS).reason).toContain('(NaN) is from before the last read');
  });
});

describe('whether an exit may be under way', () => {
  const exit = { reason: 'brain dead', sinceWallMs: 7 };
  const tells = { tellsExits: true };

  it('is nobody’s to say where no source tells of exits', () => {
    expect(decideExit([seen(HALTED('file')), seen(DOUBT('env'))], LIMITS)).toBeUndefined();
  });

  it('S10: is said by the source that tells of one', () => {
    const bus: Opinion = { says: 'halted', from: 'bus', reason: 'says HALTED', exit };
    expect(decideExit([seen(OFF('file')), seen(bus, 5_000, tells)], LIMITS)).toEqual({ open: exit });
    expect(decideExit([seen(bus)], LIMITS)).toBeUndefined();
  });

  it('S10: is said by a source without types as well, whatever else it says', () => {
    const bus = { says: 'off', from: 'bus', exit } as unknown as Opinion;
    expect(decideExit([seen(bus, 5_000, tells)], LIMITS)).toEqual({ open: exit });
  });

  it('S10: is doubted with that source alone', () => {
    expect(decideExit([seen(OFF('file')), seen(DOUBT('bus'), 5_000, tells)], LIMITS)).toEqual({
      doubt: { source: 'bus', reason: 'bus is empty' },
    });
    const none = decideExit([seen(DOUBT('file'), 100), seen(HALTED('bus'), 5_000, tells)], LIMITS);
    expect(none).toMatchObject({ none: { fromMs: 5_000, untilMs: 6_000, oldest: 'bus' } });
  });

  it('an open exit is told before the doubt of another source', () => {
    const bus: Opinion = { says: 'halted', from: 'bus', reason: 'says HALTED', exit };
    expect(decideExit([seen(DOUBT('other'), 5_000, tells), seen(bus, 5_000, tells)], LIMITS)).toEqual({ open: exit });
  });
});

describe('whom a source concerns', () => {
  it.each([
    [{}, {}, true],
    [{}, { strategy: 's', account: 'a' }, true],
    [{ strategy: 's' }, {}, true],
    [{ account: 'a' }, {}, true],
    [{ strategy: 's' }, { strategy: 's' }, true],
    [{ strategy: 's' }, { strategy: 't' }, false],
    [{ strategy: 's' }, { account: 'a' }, true],
    [{ account: 'a' }, { account: 'b' }, false],
    [{ account: 'a' }, { strategy: 's', account: 'a' }, true],
    [{ strategy: 's', account: 'a' }, { strategy: 's', account: 'b' }, false],
    [{ strategy: 's', account: 'a' }, { strategy: 't', account: 'a' }, false],
    [{ strategy: 's', account: 'a' }, { strategy: 's', account: 'a' }, true],
  ])('S3: a source for %j and orders of %j: %s', (scope, orders, expected) => {
    expect(concerns(scope, orders)).toBe(expected);
  });
});
