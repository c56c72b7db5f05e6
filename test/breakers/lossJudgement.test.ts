/** What losses are judged to be, in words and figures. */
import { describe, expect, it } from 'vitest';
import { exactOf, NOTHING } from '../../src/breakers/exactDecimal.js';
import { dayOf, dayStartMs, judgeDailyLoss, judgeLosses } from '../../src/breakers/lossJudgement.js';
import { checkDailyLoss, checkLosses } from '../../src/breakers/options.js';
import { OFF, passes, trips } from '../../src/breakers/result.js';

const money = (text: string) => exactOf(text) ?? NOTHING;
const figures = { streak: 2, inLast: 3, lost: money('12.50') };
const losses = (given: object) => checkLosses('losses', given);

describe('losses', () => {
  it('are not judged where no limit is set, and not yet where no result counts', () => {
    expect(judgeLosses(figures, losses({ max: 0 }))).toBe(OFF);
    expect(judgeLosses(undefined, losses({ max: 2 }))).toEqual(passes('no_results', 'no result counts yet'));
  });

  it('in a row', () => {
    const details = { value: 2, limit: 2, usage: 1 };
    expect(judgeLosses(figures, losses({ max: 2 }))).toEqual(
      trips('consecutive_losses', 'losses in a row: 2 reaches the limit of 2', details),
    );
    expect(judgeLosses(figures, losses({ max: 4 }))).toEqual(passes('ok', 'losses in a row: 2 of 4', { ...details, limit: 4, usage: 0.5 }));
  });

  it('among the last results', () => {
    const inLast = { losses: 3, results: 9 };
    const details = { results: 9, value: 3, limit: 3, usage: 1 };
    expect(judgeLosses(figures, losses({ max: 0, inLast }))).toEqual(
      trips('losses_in_last', 'losses in the last 9 results: 3 reaches the limit of 3', details),
    );
    const one = { ...figures, inLast: 1 };
    expect(judgeLosses(one, losses({ max: 0, inLast })).message).toBe('losses in the last 9 results: 1 of 3');
  });

  it('as a sum within a time, to the last place', () => {
    const sum = (limit: number) => losses({ max: 0, lossSum: { limit, windowMs: 60 } });
    const details = { windowMs: 60, value: '12.5', limit: 12.5, usage: 1 };
    expect(judgeLosses(figures, sum(12.5))).toEqual(trips('loss_sum', 'losses within 60 ms: 12.5 reaches the limit of 12.5', details));
    expect(judgeLosses(figures, sum(25))).toEqual(passes('ok', 'losses within 60 ms: 12.5 of 25', { ...details, limit: 25, usage: 0.5 }));
    expect(judgeLosses({ ...figures, lost: money('12.4999999999999999999') }, sum(12.5)).triggered).toBe(false);
  });

  it('of several limits the first that is reached is told, else the nearest', () => {
    const all = (max: number, limit: number) => losses({ max, inLast: { losses: 9, results: 9 }, lossSum: { limit, windowMs: 60 } });
    expect(judgeLosses(figures, all(3, 12)).reasonCode).toBe('loss_sum');
    expect(judgeLosses(figures, all(2, 12)).reasonCode).toBe('consecutive_losses');
    expect(judgeLosses(figures, all(3, 14)).message).toMatch(/^losses within 60 ms/);
    expect(judgeLosses(figures, all(3, 1_000)).message).toMatch(/^losses in a row/);
  });
});

describe('a day', () => {
  const at = (dayStartsAtUtcMinutes: number) => checkDailyLoss('daily', { limit: 100, dayStartsAtUtcMinutes });

  it('begins at its minute of UTC', () => {
    expect([0, 86_399_999, 86_400_000].map((atMs) => dayOf(atMs, at(0)))).toEqual([0, 0, 1]);
    expect([90 * 60_000 - 1, 90 * 60_000].map((atMs) => dayOf(atMs, at(90)))).toEqual([-1, 0]);
    expect([dayStartMs(0, at(90)), dayStartMs(2, at(90))]).toEqual([5_400_000, 178_200_000]);
  });

  it('is judged by its net loss, and a gain is none', () => {
    const words = 'the net loss of the day:';
    const details = { limit: 100, value: '100', usage: 1 };
    expect(judgeDailyLoss(money('-100'), at(0))).toEqual(trips('daily_loss', `${words} 100 reaches the limit of 100`, details));
    expect(judgeDailyLoss(money('-50'), at(0))).toEqual(passes('ok', `${words} 50 of 100`, { ...details, value: '50', usage: 0.5 }));
    for (const gain of ['0', '70']) expect(judgeDailyLoss(money(gain), at(0)).message).toBe(`${words} 0 of 100`);
  });
});
