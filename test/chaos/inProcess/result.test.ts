/** What a run comes to is computed from what was seen; nothing seen is no success. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChaosResult, chaosReport, wilsonLowerBound } from '../../../src/chaos/index.js';
import { gradeOf } from '../../../src/chaos/inProcess/report.js';

describe('the lower end of Wilson’s interval', () => {
  it.each([
    // Known values of the score interval at 95 %.
    [0, 0, 0],
    [10, 10, 0.7225],
    [0, 10, 0],
    [5, 10, 0.2366],
    [190, 200, 0.9104],
    [200, 200, 0.9812],
  ])('%i of %i: at least %f', (successes, trials, bound) => {
    expect(wilsonLowerBound(successes, trials)).toBeCloseTo(bound, 4);
  });

  it('never says more than was seen, and more the more was seen', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 500 }), (trials, drawn) => {
        const successes = Math.min(trials, drawn);
        const bound = wilsonLowerBound(successes, trials);
        expect(bound).toBeGreaterThanOrEqual(0);
        expect(bound).toBeLessThanOrEqual(successes / trials);
        expect(wilsonLowerBound(successes * 4, trials * 4)).toBeGreaterThanOrEqual(bound);
      }),
    );
  });
});

const RESULT: ChaosResult = {
  verdict: 'failed',
  problems: ['1 crashes'],
  seed: 42,
  startedAt: '2026-01-02T03:04:05.000Z',
  durationMs: 1_500,
  failureRate: 0.3,
  calls: 12,
  totalInjections: 2,
  injectionsByType: { network: 2 },
  successfulRecoveries: 1,
  failedRecoveries: 1,
  crashCount: 1,
  recoveryRate: 0.5,
  recoveryRateAtLeast: 0.0945,
  injections: [
    {
      number: 1,
      chaosType: 'network',
      behaviour: 'error',
      timestamp: '2026-01-02T03:04:05.100Z',
      atMs: 1,
      targetFunction: 'store|write',
      call: 3,
      round: 1,
      args: ['secret'],
      failureInjected: true,
      systemRecovered: true,
      recoveryMs: 12.4,
      errorMessage: 'connect ECONNREFUSED',
    },
  ],
  crashes: [{ round: 1, errorMessage: 'it broke', wasInjected: false, injections: [1] }],
};

describe('the report', () => {
  const report = chaosReport(RESULT, { subject: 'a store', again: 'node storm.mjs --seed 42' });

  it.each([
    '- **Verdict**: failed: 1 crashes',
    '- **Duration**: 1.50 s',
    '- **Total Injections**: 2 (network 2)',
    '- **Successful Recoveries**: 1',
    '- **Failed Recoveries**: 1',
    '- **Crashes**: 1',
    '- **Recovery Rate**: 50.0 %, with 95 % confidence at least 9.4 %',
    '- round 1: it broke (injections 1)',
    '| 1 | 2026-01-02T03:04:05.100Z | network | error | store\\|write | 3 | recovered after 12 ms | connect ECONNREFUSED |',
    'node storm.mjs --seed 42',
  ])('says %s', (line) => {
    expect(report).toContain(line);
  });

  it('keeps to itself what the calls were made with', () => {
    expect(report).not.toContain('secret');
  });

  it.each([
    [undefined, 0, 'no grade'],
    [1, 1, 'not fit'],
    [0.96, 0, 'excellent'],
    [0.95, 0, 'good'],
    [0.8, 0, 'good'],
    [0.79, 0, 'needs work'],
  ] as const)('grades a rate of %s with %i crashes as %s', (rate, crashes, grade) => {
    expect(gradeOf(rate, crashes)).toContain(grade);
  });
});
