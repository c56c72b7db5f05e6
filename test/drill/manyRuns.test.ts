/** Many runs of a drill in one document: the worst of everything, the 99th percentile of speed, and never a pass for a run without a verdict. */
import { describe, expect, it } from 'vitest';
import { documentOf } from '../../src/drill/document.js';
import type { Figure } from '../../src/drill/judge/evidence.js';
import { checkDrillOptions } from '../../src/drill/options.js';
import { repeat } from '../../src/drill/repeat.js';
import type { RunResult } from '../../src/drill/run.js';
import { ConfigurationError } from '../../src/errors.js';
import { RigError } from '../../src/rig/child.js';

function check(id: string, passed: boolean, figures: readonly Figure[] = []): RunResult['checks'][number] {
  return { id, name: id, passed, evidence: 'seen', missing: false, figures, related: false };
}

function run({
  killToPanicMs = 300,
  bookEmptyMs = 200,
  red = '',
  stallMs = 0,
}: {
  killToPanicMs?: number;
  bookEmptyMs?: number;
  red?: string;
  stallMs?: number;
} = {}): RunResult {
  return {
    scenario: 'kill brain',
    summary: '',
    verdict: red === '' ? 'pass' : 'fail',
    bus: 'journal:/tmp',
    checks: [
      check('L1', red !== 'L1', [{ ms: killToPanicMs, boundMs: 400, stallMs }]),
      check('L2', red !== 'L2', [{ ms: bookEmptyMs, boundMs: 275, stallMs }]),
      check('S4', red !== 'S4'),
    ],
    timings: {
      killToPanicMs: [killToPanicMs],
      panicToBookEmptyMs: [bookEmptyMs],
      panicToFlatVerifiedMs: [400],
      killToFlatVerifiedMs: [700],
    },
    positionsAtKill: 10,
    positionsAfter: 0,
    openOrdersAfter: 0,
    tradingState: 'HALTED',
    flatVerdict: 'flat',
    panics: 1,
    incidents: 1,
    ordersAttemptedAfterHalt: 25,
    ordersAfterHalt: 0,
    exposureIncreasedByExit: 0,
    closedTwice: 0,
  };
}

const options = (count: number) => checkDrillOptions({ repeat: count, scale: 10 });
const verdictOf = (runs: readonly RunResult[], errors: number) => {
  const [first = run(), ...others] = runs;
  const failed = Array.from({ length: errors }, (_, index) => ({ run: index + 1, error: 'the venue did not start' }));
  return documentOf(first, others, failed, options(runs.length + errors)).verdict;
};

describe('a drill of many runs', () => {
  it('goes on after a run that the rig could not bring to its end, and says which it was', async () => {
    const told: number[] = [];
    const { runs, errors } = await repeat(
      4,
      async (number) => {
        if (number === 2) throw new RigError('the venue did not start');
        return run({ killToPanicMs: number });
      },
      { signal: new AbortController().signal, onError: (error) => told.push(error.run) },
    );
    expect(runs.map((one) => one.timings.killToPanicMs[0])).toEqual([1, 3, 4]);
    expect(errors).toEqual([{ run: 2, error: 'the venue did not start' }]);
    expect(told).toEqual([2]);
  });

  it('ends at once on a wrong option, and when it is interrupted', async () => {
    const stop = new AbortController();
    const context = { signal: stop.signal, onError: () => expect.unreachable('an interruption is no error of the rig') };
    const wrong = async () => Promise.reject(new ConfigurationError('bars', 'x', 'must be a file'));
    await expect(repeat(3, wrong, context)).rejects.toBeInstanceOf(ConfigurationError);
    let begun = 0;
    const { runs } = await repeat(
      3,
      async () => {
        begun += 1;
        stop.abort();
        throw new RigError('interrupted');
      },
      context,
    );
    expect([begun, runs.length]).toEqual([1, 0]);
  });

  it('is no pass when one run has no verdict, and red when any run is red', () => {
    expect(verdictOf([run(), run()], 0)).toBe('pass');
    expect(verdictOf([run(), run()], 1)).toBe('error');
    expect(verdictOf([run(), run({ red: 'S4' })], 1)).toBe('fail');
    expect(verdictOf([run(), run({ red: 'L1' })], 0)).toBe('fail');
  });

  it('reads promises of speed at the 99th percentile from a hundred runs on, all others at the worst', () => {
    const slow = { killToPanicMs: 401, bookEmptyMs: 276 };
    const hundred = (count: number) => Array.from({ length: 100 }, (_, index) => run(index < count ? { ...slow, red: 'L1' } : {}));
    expect(verdictOf(hundred(1), 0)).toBe('pass');
    expect(verdictOf(hundred(2), 0)).toBe('fail');
    // What the observer itself missed in the same run is not the system's.
    const stalled = hundred(2).map((one, index) => (index < 2 ? run({ ...slow, red: 'L1', stallMs: 5 }) : one));
    expect(verdictOf(stalled, 0)).toBe('pass');
    expect(verdictOf([...hundred(0), run({ red: 'S4' })], 0)).toBe('fail');
    // A run that has no figure at all is not covered by the others.
    const unseen = run();
    const blind = { ...unseen, checks: [{ ...check('L1', false), missing: true }, ...unseen.checks.slice(1)] };
    expect(verdictOf([...hundred(0), blind], 0)).toBe('fail');
    expect(verdictOf([blind, ...hundred(0)], 0)).toBe('fail');
    expect(verdictOf([...hundred(0), run({ bookEmptyMs: 276 }), run({ bookEmptyMs: 276 })], 0)).toBe('fail');
  });
});
