/** One realised result as the loss checks count it. */
import type { BreakerResult } from '../messages/result.js';
import { type Exact, exactOf } from './exactDecimal.js';
import { type CheckResult, isFiniteNumber, trips, wordsOf } from './result.js';

export interface CountedResult {
  /** Its closing fills: the same id of another account or symbol is another one. */
  readonly fills: readonly string[];
  readonly pnl: Exact;
  readonly closedAtMs: number;
  /** Among those of one time. */
  readonly sequence: number;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The result that was given, or why it is none. `latestWallMs`: the latest that anyone may say it is, Unix epoch in ms. */
export function readResult(given: unknown, latestWallMs = Infinity): CountedResult | CheckResult {
  if (typeof given !== 'object' || given === null) return trips('pnl_invalid', 'there is no result where one was recorded');
  const { pnl, closedAtMs, sequence = 0, ids, account, symbol }: Partial<Record<keyof BreakerResult, unknown>> = given;
  const exact = typeof pnl === 'string' ? exactOf(pnl) : undefined;
  if (exact === undefined) return trips('pnl_invalid', `the P&L of a result is not decimal text: ${wordsOf(pnl)}`);
  // A text would be compared as text: 2024-01-10 before 2024-01-9.
  if (!isFiniteNumber(closedAtMs)) {
    return trips('time_invalid', `the time of a result is not a number of milliseconds: ${wordsOf(closedAtMs)}`);
  }
  if (!isFiniteNumber(sequence)) return trips('time_invalid', `the sequence of a result is not a number: ${wordsOf(sequence)}`);
  // A list may have holes, which `every` does not see.
  const names: readonly unknown[] = Array.isArray(ids) ? Array.from<unknown>(ids) : [];
  if (names.length === 0 || !names.every(isText)) {
    return trips('pnl_invalid', 'a result names no fills by their ids: it could not be told from its repetition');
  }
  const misnamed = [account, symbol].find((name) => name !== undefined && name !== null && typeof name !== 'string');
  if (misnamed !== undefined) {
    return trips(
      'pnl_invalid',
      `account or symbol of a result is no text, so that two of them could be taken for one: ${wordsOf(misnamed)}`,
    );
  }
  // Written so that a clock that is no number makes no result one of the past.
  if (!(closedAtMs <= latestWallMs)) {
    const aheadMs = closedAtMs - latestWallMs;
    return trips('result_from_future', `a result is dated ${aheadMs} ms ahead`, { closedAtMs, aheadMs });
  }
  const place = { ...(isText(account) ? { account } : {}), ...(isText(symbol) ? { symbol } : {}) };
  return { fills: fillsOf({ ...place, ids: names }), pnl: exact, closedAtMs, sequence };
}

/** The fills of a result by names that no fill of another account or symbol has. */
export function fillsOf({ account, symbol, ids }: Pick<BreakerResult, 'account' | 'symbol' | 'ids'>): readonly string[] {
  return ids.map((id) => JSON.stringify([account ?? null, symbol ?? null, id]));
}

export const isLoss = ({ pnl: { units } }: CountedResult): boolean => units < 0n;
export const isZero = ({ pnl: { units } }: CountedResult): boolean => units === 0n;
