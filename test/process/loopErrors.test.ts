import { describe, expect, it } from 'vitest';
import { FailflatError } from '../../src/errors.js';
import { REFUSAL_CODES } from '../../src/permission.js';
import { defaultVerdict, isEndByShutdown, type LoopErrorVerdict, verdictOf } from '../../src/process/loopErrors.js';

const refused = new FailflatError('kill_switch_enabled', 'no');

describe('the verdict on what a loop threw', () => {
  it('by default only a refused order lets it go on: anything else leaves a doubt', () => {
    for (const code of REFUSAL_CODES) expect(defaultVerdict(new FailflatError(code, 'no'))).toBe('continue');
    for (const other of [new FailflatError('order_outcome_unknown', 'no'), new Error('no'), undefined, { code: 'kill_switch_enabled' }])
      expect(defaultVerdict(other)).toBe('shutdown');
  });

  it('S3: is what was asked for, where there is a next item to go on with', () => {
    const verdicts: readonly LoopErrorVerdict[] = ['shutdown', 'reject', 'continue'];
    for (const verdict of verdicts) {
      for (const onError of [verdict, () => verdict]) {
        expect(verdictOf(onError, refused, true)).toBe(verdict);
        expect(verdictOf(onError, refused, false)).toBe(verdict === 'continue' ? 'shutdown' : verdict);
      }
    }
    const told: unknown[] = [];
    const judge = (error: unknown): LoopErrorVerdict => {
      told.push(error);
      return 'reject';
    };
    verdictOf(judge, refused, true);
    expect(told).toEqual([refused]);
  });

  it('S3: of a judge that throws, or answers what is no verdict, is a shutdown', () => {
    const throwing = () => {
      throw new Error('judge');
    };
    for (const judge of [throwing, () => 'ignore' as 'reject', () => undefined as unknown as 'reject'])
      expect(verdictOf(judge, refused, true)).toBe('shutdown');
  });
});

describe('an end by shutdown', () => {
  it('is the abort itself, an abort of something else, or an order that came after the gate was shut', () => {
    const stopping = new AbortController();
    const reason = new Error('stop');
    const abort = Object.assign(new Error('aborted'), { name: 'AbortError' });
    const late = new FailflatError('shutdown_requested', 'no');
    for (const error of [reason, abort, late]) expect(isEndByShutdown(error, stopping.signal)).toBe(false);
    stopping.abort(reason);
    for (const error of [reason, abort, late]) expect(isEndByShutdown(error, stopping.signal)).toBe(true);
    const refusedToo = Object.assign(new FailflatError('kill_switch_enabled', 'no'), { name: 'AbortError' });
    for (const error of [new Error('stop'), refused, refusedToo, { name: 'AbortError' }, undefined])
      expect(isEndByShutdown(error, stopping.signal)).toBe(false);
  });
});
