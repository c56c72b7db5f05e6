import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drainReportDue } from '../../src/tradingLease/drainReport.js';
import { fcSeed } from '../support/seed.js';

describe('drainReportDue', () => {
  it('S5: is due exactly when nothing is under way and what would be said has not been said', () => {
    const counted = fc.option(fc.record({ inflight: fc.nat(2), unknownOutcomes: fc.nat(2) }), { nil: undefined });
    const stop = fc.constantFrom('halted/1/1', 'halted/1/2');
    const reported = fc.option(fc.record({ stop, unknownOutcomes: fc.nat(2) }), { nil: undefined });
    fc.assert(
      fc.property(stop, counted, reported, (now, count, said) => {
        const isSaid = said?.stop === now && said.unknownOutcomes === count?.unknownOutcomes;
        expect(drainReportDue({ stop: now, counted: count }, said)).toBe(count !== undefined && count.inflight === 0 && !isSaid);
      }),
      { seed: fcSeed, numRuns: 300 },
    );
  });
});
