import { describe, expect, it } from 'vitest';
import { consecutiveLosses } from '../../src/breakers/consecutiveLosses.js';
import { result, scene } from '../breakers/support.js';

const EVENING_MS = Date.UTC(2014, 0, 9, 23, 59);
const HOUR_MS = 3_600_000;

describe('trap 18: the loss breaker', () => {
  const results = (...pnls: number[]) => pnls.map((pnl, index) => result(pnl, EVENING_MS + index * HOUR_MS));

  it('trap 18: midnight ends no streak', () => {
    expect(consecutiveLosses(results(-1, -1, -1), { max: 3 })).toMatchObject({ triggered: true, reasonCode: 'consecutive_losses' });
    const { breakers } = scene({ consecutiveLosses: { max: 3 } });
    expect(results(-1, -1, -1).map((one) => breakers.recordFill(one).triggered)).toEqual([false, false, true]);
  });

  it('trap 18: a result of zero is neither a loss nor the end of a streak', () => {
    expect(consecutiveLosses(results(-1, 0, -1, 0, 0, -1), { max: 3 }).triggered).toBe(true);
    expect(consecutiveLosses(results(-1, 0, 0), { max: 3 }).triggered).toBe(false);
    const { breakers } = scene({ consecutiveLosses: { max: 3 } });
    expect(results(-1, 0, -1, 0, 0, -1).map((one) => breakers.recordFill(one).triggered)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('trap 18: one small win ends a streak, but not a count of losses among the last results', () => {
    const pnls = results(-5, -5, 0.01, -5, -5);
    expect(consecutiveLosses(pnls, { max: 4 }).triggered).toBe(false);
    expect(consecutiveLosses(pnls, { inLast: { losses: 4, results: 5 } })).toMatchObject({ triggered: true, reasonCode: 'losses_in_last' });
    const { breakers } = scene({ consecutiveLosses: { inLast: { losses: 4, results: 5 } } });
    expect(pnls.map((one) => breakers.recordFill(one).triggered)).toEqual([false, false, false, false, true]);
  });

  it('trap 18: a time that is a text is refused, not compared as a text', () => {
    const iso = { ...result(-1), closedAtMs: '2024-01-09T23:59:00Z' as unknown as number };
    expect(consecutiveLosses([iso], { max: 3 })).toMatchObject({ triggered: true, reasonCode: 'time_invalid' });
    expect(scene({}).breakers.recordFill(iso)).toMatchObject({ triggered: true, reasonCode: 'time_invalid' });
  });

  it('trap 18: a position that was held overnight counts when it is closed', () => {
    const { breakers } = scene({ consecutiveLosses: { max: 2 } });
    breakers.recordFill(result(-1, EVENING_MS));
    expect(breakers.recordFill(result(-1, EVENING_MS + 10 * HOUR_MS))).toMatchObject({ triggered: true });
  });
});
