/** The checker of the halt register: true histories pass whatever their timing, and each hand-made bad one turns it red. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeHaltRegister } from '../../../src/chaos/history/haltRegister.js';
import { isLinearizable } from '../../../src/chaos/history/linearizable.js';
import type { OperationOutcome, RegisterOperation, RegisterValue } from '../../../src/chaos/history/operation.js';

const ACTIVE: RegisterValue = { active: true, halts: [] };

const halt = (haltId: string, invokedMs: number, endedMs: number, outcome: OperationOutcome = 'ok'): RegisterOperation => ({
  kind: 'halt',
  client: 'writer',
  haltId,
  invokedMs,
  endedMs,
  outcome,
});
const rearm = (clears: readonly string[], invokedMs: number, endedMs: number, outcome: OperationOutcome = 'ok'): RegisterOperation => ({
  kind: 'rearm',
  client: 'admin',
  clears,
  invokedMs,
  endedMs,
  outcome,
});
const read = (active: boolean, halts: readonly string[], invokedMs: number, endedMs: number, client = 'reader'): RegisterOperation => ({
  kind: 'read',
  client,
  value: { active, halts },
  invokedMs,
  endedMs,
  outcome: 'ok',
});
const failedRead = (invokedMs: number, endedMs: number): RegisterOperation => ({
  kind: 'read',
  client: 'reader',
  value: undefined,
  invokedMs,
  endedMs,
  outcome: 'fail',
});

describe('good histories', () => {
  it.each<[string, readonly RegisterOperation[]]>([
    ['a halt, seen by everyone after it', [halt('a', 1, 2), read(false, ['a'], 3, 4)]],
    ['a read beside a halt may show either', [halt('a', 1, 5), read(true, [], 2, 3), read(false, ['a'], 4, 6)]],
    [
      'a halt of which nobody knows may hold',
      [halt('a', 1, 2, 'info'), read(true, [], 3, 4), read(false, ['a'], 5, 6), read(false, ['a'], 7, 8)],
    ],
    [
      'a re-arm in its two steps',
      [halt('a', 1, 2), read(false, ['a'], 3, 4), rearm(['a'], 5, 9), read(false, [], 6, 7), read(true, [], 8, 10)],
    ],
    ['a re-arm that fell back has cleared what it named', [halt('a', 1, 2), rearm(['a'], 3, 6, 'fail'), read(false, ['rearm/1'], 7, 8)]],
    ['a halt that somebody else made', [read(true, [], 1, 2), read(false, ['of another'], 3, 4), read(false, ['of another'], 5, 6)]],
    ['who refuses to believe what it reads says nothing', [halt('a', 1, 2), failedRead(3, 4), read(false, ['a'], 5, 6)]],
  ])('%s', (_, history) => {
    expect(judgeHaltRegister(history, ACTIVE)).toEqual({ verdict: 'linearizable', violations: [] });
  });
});

describe('bad histories', () => {
  it.each<[string, readonly RegisterOperation[], RegExp]>([
    [
      'trading is active after an acknowledged halt',
      [halt('a', 1, 2), read(true, [], 3, 4)],
      /trading is active, without a, acknowledged at 2\.0 ms/,
    ],
    [
      'an acknowledged halt is gone although another one holds',
      [halt('a', 1, 2), halt('b', 3, 4), read(false, ['b'], 5, 6)],
      /other halts hold, without a/,
    ],
    [
      'a halt that was seen is forgotten',
      [halt('a', 1, 9, 'info'), read(false, ['a'], 2, 3), read(true, [], 4, 5)],
      /had read stopped at 3\.0 ms/,
    ],
    [
      'a halt of others that was seen is forgotten',
      [read(false, ['x'], 1, 2), read(true, [], 3, 4, 'another')],
      /another read at 3\.0 ms that trading is active, which reader had read stopped/,
    ],
    [
      'a re-arm that failed lets trading go on',
      [halt('a', 1, 2), rearm(['a'], 3, 6, 'fail'), read(true, [], 7, 8)],
      /had read|without a|trading is active/,
    ],
    ['a re-arm that had ended before the halt clears it', [rearm(['a'], 1, 2), halt('a', 3, 4), read(true, [], 5, 6)], /without a/],
    ['a re-arm that does not name it clears it', [halt('a', 1, 2), rearm(['b'], 3, 4), read(true, [], 5, 6)], /without a/],
  ])('%s', (name, history, said) => {
    const { verdict, violations } = judgeHaltRegister(history, ACTIVE);
    // One that fell back may have cleared its halts, so only the order of the whole tells that nothing allowed trading.
    if (name.startsWith('a re-arm that failed')) return expect(isLinearizable(history, ACTIVE)).toBe(false);
    expect(verdict).toBe('broken');
    expect(violations.join('\n')).toMatch(said);
  });

  it('nothing was read: nothing is proven', () => {
    expect(judgeHaltRegister([halt('a', 1, 2), failedRead(3, 4)], ACTIVE).verdict).toBe('empty');
  });

  it('a reader that lags behind a re-arm is stale, and safe', () => {
    const history = [halt('a', 1, 2), rearm(['a'], 3, 4), read(false, ['a'], 5, 6)];
    expect(judgeHaltRegister(history, ACTIVE)).toEqual({ verdict: 'safe-stale', violations: [] });
  });

  it('two readers that see two halts in two orders are told apart from one order', () => {
    const history = [halt('a', 1, 9), halt('b', 1, 9), read(false, ['a'], 2, 3, 'one'), read(false, ['b'], 4, 5, 'other')];
    expect(isLinearizable(history, ACTIVE)).toBe(false);
  });
});

/** What a register does that is one: each operation takes effect at one moment within its time. */
interface Planned {
  readonly what: 'halt' | 'rearm' | 'read';
  readonly before: number;
  readonly after: number;
  readonly isAnswered: boolean;
}

const planned = fc.record<Planned>({
  what: fc.constantFrom('halt', 'rearm', 'read', 'read', 'read'),
  before: fc.integer({ min: 0, max: 25 }),
  after: fc.integer({ min: 0, max: 25 }),
  isAnswered: fc.boolean(),
});

/** Effects are ten milliseconds apart, and the times around them overlap with two neighbours on each side. */
function playedBy(plan: readonly Planned[]): RegisterOperation[] {
  let active = true;
  let halts: readonly string[] = [];
  return plan.map(({ what, before, after, isAnswered }, index) => {
    const atMs = index * 10;
    const [fromMs, untilMs] = [atMs - before, atMs + 1 + after];
    if (what === 'read') return read(active, halts, fromMs, untilMs, `client-${index % 4}`);
    if (what === 'halt') {
      active = false;
      halts = [...halts, `halt-${index}`];
      return halt(`halt-${index}`, fromMs, untilMs, isAnswered ? 'ok' : 'info');
    }
    const clears = halts;
    active = true;
    halts = [];
    return rearm(clears, fromMs, untilMs, isAnswered ? 'ok' : 'info');
  });
}

describe('histories of a register that is one', () => {
  it('are linearizable, whatever their timing', () => {
    fc.assert(
      fc.property(fc.array(planned, { minLength: 1, maxLength: 40 }), (plan) => {
        const history = playedBy(plan);
        const isRead = history.some(({ kind }) => kind === 'read');
        expect(judgeHaltRegister(history, ACTIVE)).toEqual({ verdict: isRead ? 'linearizable' : 'empty', violations: [] });
      }),
      { numRuns: 300 },
    );
  });

  it('are broken by one read, long after the last of them, that forgets an acknowledged halt', () => {
    fc.assert(
      fc.property(fc.array(planned, { minLength: 1, maxLength: 20 }), fc.boolean(), (plan, active) => {
        const history = [...playedBy(plan), halt('last', 1_000, 1_001), read(active, [], 1_002, 1_003)];
        // A re-arm of which nobody knows names only halts that were there: the last one is none of them.
        expect(judgeHaltRegister(history, ACTIVE).verdict).toBe('broken');
      }),
      { numRuns: 200 },
    );
  });

  it('stay safe where reads are only more halted than they must be', () => {
    fc.assert(
      fc.property(fc.array(planned, { minLength: 1, maxLength: 20 }), (plan) => {
        const before = playedBy(plan);
        const all = [...before.flatMap((operation) => (operation.kind === 'halt' ? [operation.haltId] : [])), 'last'];
        const history = [...before, halt('last', 1_000, 1_001), rearm(all, 1_010, 1_020), read(false, all, 1_030, 1_031)];
        expect(judgeHaltRegister(history, ACTIVE)).toEqual({ verdict: 'safe-stale', violations: [] });
      }),
      { numRuns: 200 },
    );
  });

  it('of real length are judged at once', () => {
    const plan = Array.from(
      { length: 2_000 },
      (_, index): Planned => ({
        what: index % 40 === 20 ? 'halt' : index % 40 === 39 ? 'rearm' : 'read',
        before: (index * 7) % 25,
        after: (index * 11) % 25,
        isAnswered: true,
      }),
    );
    expect(judgeHaltRegister(playedBy(plan), ACTIVE).verdict).toBe('linearizable');
  });
});
