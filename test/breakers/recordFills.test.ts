/** Breakers fed by a real ledger: what it tells, corrects, takes back and refuses. */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fill, ledgerWith, NOON_MS } from '../ledger/support.js';
import { result, scene } from './support.js';

const DAY_MS = 86_400_000;
const later = (): ManualClock => new ManualClock({ wallMs: NOON_MS + DAY_MS });

/** Two fills that lose a dollar. */
const losingRound = () => [fill('buy', 1, 100), fill('sell', 1, 99)];

describe('what a ledger tells', () => {
  it('trips by the closes of the ledger, each counted once however often it is told', async () => {
    const { breakers } = scene({ consecutiveLosses: { max: 3 } }, { clock: later() });
    const ledger = await ledgerWith([...losingRound(), ...losingRound()]);
    expect(breakers.recordFills(ledger).triggered).toBe(false);
    expect(breakers.recordFills(ledger).triggered).toBe(false);
    for (const each of losingRound()) ledger.record(each);
    expect(breakers.recordFills(ledger)).toMatchObject({ triggered: true, type: 'consecutive_losses' });
  });

  it('a bust takes its result back', async () => {
    const { breakers } = scene({ consecutiveLosses: { max: 2 } }, { clock: later() });
    const ledger = await ledgerWith(losingRound());
    const [open, close] = [fill('buy', 1, 100), fill('sell', 1, 99)];
    ledger.record(open);
    ledger.record(close);
    ledger.record({ id: close.id, account: close.account, symbol: close.symbol, time: close.time, revision: 1, busted: true });
    expect(ledger.closes()).toHaveLength(1);
    expect(breakers.recordFills(ledger).triggered).toBe(false);
  });

  it('sums are exact: ten losses of a tenth reach a limit of one', async () => {
    const { breakers } = scene({ dailyLoss: { limit: 1 } }, { clock: later() });
    const tenth = () => [fill('buy', 1, '100.1'), fill('sell', 1, 100)];
    const ledger = await ledgerWith(Array.from({ length: 9 }, tenth).flat());
    expect(breakers.recordFills(ledger).triggered).toBe(false);
    for (const each of tenth()) ledger.record(each);
    expect(breakers.recordFills(ledger)).toMatchObject({ triggered: true, type: 'daily_loss' });
  });

  it('counts on what the ledger no longer keeps', async () => {
    const forgetful = { keepResults: 1, horizonMs: 0 };
    for (const [type, config] of Object.entries({
      consecutive_losses: { consecutiveLosses: { max: 5 } },
      daily_loss: { dailyLoss: { limit: 5 } },
    })) {
      const { breakers } = scene(config, { clock: later() });
      const ledger = await ledgerWith([], forgetful);
      const verdicts = Array.from({ length: 5 }, () => {
        for (const each of losingRound()) ledger.record(each);
        return breakers.recordFills(ledger).triggered;
      });
      expect(ledger.closes().length).toBeLessThan(5);
      expect(verdicts).toEqual([false, false, false, false, true]);
      expect(breakers.verdict()).toMatchObject({ type });
    }
  });

  it('S3: results that the ledger has let go of before it was first asked trip where they may count, and once', async () => {
    const fills = [...losingRound(), ...losingRound(), ...losingRound()];
    const [firstMs, lastMs] = [Number(fills[1]?.time), Number(fills.at(-1)?.time)];
    const forgetful = await ledgerWith(fills, { keepResults: 1, horizonMs: 0 });
    const ledger = await ledgerWith([], { snapshot: forgetful.snapshot(), keepResults: 1, horizonMs: 0 });
    const codeOf = (config: Parameters<typeof scene>[0]) => scene(config, { clock: later() }).breakers.recordFills(ledger).reasonCode;
    expect(ledger.closes()).toHaveLength(2);
    expect(codeOf({ consecutiveLosses: { max: 3 } })).toBe('results_missing');
    expect(codeOf({ consecutiveLosses: { max: 2 } })).toBe('consecutive_losses');
    expect(codeOf({ consecutiveLosses: { inLast: { losses: 3, results: 3 } } })).toBe('results_missing');
    expect(codeOf({ consecutiveLosses: { inLast: { losses: 2, results: 2 } } })).toBe('losses_in_last');
    expect(codeOf({ consecutiveLosses: { lossSum: { limit: 10, windowMs: lastMs - firstMs } } })).toBe('ok');
    expect(codeOf({ consecutiveLosses: { lossSum: { limit: 10, windowMs: lastMs - firstMs + 1 } } })).toBe('results_missing');
    expect(codeOf({ dailyLoss: { limit: 10 } })).toBe('results_missing');
    expect(codeOf({})).toBe('ok');
    const { breakers } = scene({ dailyLoss: { limit: 10 } }, { clock: later() });
    expect(breakers.recordFills(ledger)).toMatchObject({ triggered: true, type: 'invalid_data' });
    await breakers.reset({ by: 'operator', reason: 'counted by hand' });
    const [close] = ledger.closes();
    if (close !== undefined) breakers.recordFill(close);
    for (const each of losingRound()) ledger.record(each);
    expect(breakers.recordFills(ledger).triggered).toBe(false);
  });

  it('results of yesterday that the ledger has let go of are none of today', async () => {
    const ledger = await ledgerWith([], { keepResults: 1, horizonMs: 0 });
    for (const day of [1, 2, 3]) {
      for (const [index, each] of losingRound().entries()) ledger.record({ ...each, time: NOON_MS - 4 * DAY_MS + day * DAY_MS + index });
    }
    const { breakers } = scene({ dailyLoss: { limit: 10 } }, { clock: later() });
    expect(breakers.recordFills(ledger)).toMatchObject({ reasonCode: 'ok' });
    expect(breakers.recordFills(ledger)).toMatchObject({ reasonCode: 'ok' });
  });

  it('a fill that the ledger refuses trips once, and a reset takes it as seen', async () => {
    const { breakers } = scene({ consecutiveLosses: { max: 3 } }, { clock: later() });
    const ledger = await ledgerWith([]);
    ledger.record({ ...fill('buy', 1, 100), price: 'none' });
    expect(breakers.recordFills(ledger)).toMatchObject({ triggered: true, reasonCode: 'fill_refused' });
    await breakers.reset({ by: 'operator', reason: 'the feed was mended' });
    expect(breakers.recordFills(ledger).triggered).toBe(false);
  });

  it('a refusal that was reset trips no more after a restart, and one that was not does', async () => {
    const config = { consecutiveLosses: { max: 3 } };
    const ledger = await ledgerWith([]);
    ledger.record({ ...fill('buy', 1, 100), price: 'none' });
    const [seeing, other] = [scene(config, { clock: later() }).breakers, scene(config, { clock: later() }).breakers];
    seeing.recordFills(ledger);
    const unseen = await ledgerWith([], { snapshot: ledger.snapshot() });
    expect(scene(config, { clock: later() }).breakers.recordFills(unseen)).toMatchObject({ reasonCode: 'fill_refused' });
    await seeing.reset({ by: 'operator', reason: 'the feed was mended' });
    const seen = await ledgerWith([], { snapshot: ledger.snapshot() });
    expect(scene(config, { clock: later() }).breakers.recordFills(seen).triggered).toBe(false);
    seen.record({ ...fill('buy', 1, 100), price: 'none' });
    expect(other.recordFills(seen)).toMatchObject({ triggered: true, reasonCode: 'fill_refused' });
    expect(seen.refusalsSeen('another')).toBe(0);
    expect(() => seen.takeRefusalsAsSeen('another', 3)).toThrow(/^count = 3.*between 0 and 2/);
  });

  it('has the last word on a result that was handed in by itself as well', async () => {
    const { breakers } = scene({ consecutiveLosses: { max: 2 } }, { clock: later() });
    const ledger = await ledgerWith([...losingRound()]);
    breakers.recordFills(ledger);
    const [close] = ledger.closes();
    if (close === undefined) throw new Error('nothing was closed');
    breakers.recordFill({ ...close, pnl: '1' });
    for (const each of losingRound()) ledger.record(each);
    expect(breakers.recordFills(ledger)).toMatchObject({ triggered: true, type: 'consecutive_losses' });
  });

  it('a result of tomorrow trips', () => {
    const { breakers, clock } = scene({ consecutiveLosses: { max: 3 } });
    expect(breakers.recordFill(result(-1, clock.wallMs() + DAY_MS))).toMatchObject({ triggered: true, reasonCode: 'result_from_future' });
  });

  it('a ledger that throws trips', () => {
    const { breakers } = scene({ consecutiveLosses: { max: 3 } });
    const broken = {
      closes: () => {
        throw new Error('no memory');
      },
      refusals: () => ({ count: 0 }),
    };
    expect(breakers.recordFills(broken)).toMatchObject({ triggered: true, reasonCode: 'evaluation_error' });
  });
});
