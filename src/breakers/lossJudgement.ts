/** What the loss checks make of results: so many in a row, so many among the last, or of so large a sum within a time or a day. */
import { type Exact, exactOfNumber, isAtLeast, NOTHING, negated, plus, textOf } from './exactDecimal.js';
import { type CountedResult, isLoss } from './lossResult.js';
import type { DailyLossOptions, LossesInLast, LossOptions, LossSum } from './options.js';
import { againstLimit, type CheckResult, type Details, nearest, OFF, passes, type ReasonCode, trips } from './result.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

function judgeStreak(counted: readonly CountedResult[], max: number): CheckResult {
  const lastWin = counted.findLastIndex((result) => !isLoss(result));
  const streak = counted.length - 1 - lastWin;
  return againstLimit(streak, max, { code: 'consecutive_losses', what: 'losses in a row:', inclusive: true });
}

function judgeInLast(counted: readonly CountedResult[], { losses, results }: LossesInLast): CheckResult {
  const lost = counted.slice(-results).filter(isLoss).length;
  return againstLimit(lost, losses, {
    code: 'losses_in_last',
    what: `losses in the last ${results} results:`,
    details: { results },
    inclusive: true,
  });
}

/** A sum of money against its limit, to the last place. */
function againstSum(
  lost: Exact,
  limit: number,
  words: { readonly code: ReasonCode; readonly what: string; readonly details?: Details },
): CheckResult {
  const value = textOf(lost);
  const details = { ...words.details, value, limit, usage: Number(value) / limit };
  return isAtLeast(lost, exactOfNumber(limit))
    ? trips(words.code, `${words.what} ${value} reaches the limit of ${limit}`, details)
    : passes('ok', `${words.what} ${value} of ${limit}`, details);
}

function judgeSum(counted: readonly CountedResult[], { limit, windowMs }: LossSum): CheckResult {
  // In the order of time, so that the last one is the newest.
  const sinceMs = (counted.at(-1)?.closedAtMs ?? -Infinity) - windowMs;
  let lost = NOTHING;
  for (const result of counted) if (isLoss(result) && result.closedAtMs > sinceMs) lost = plus(lost, negated(result.pnl));
  return againstSum(lost, limit, { code: 'loss_sum', what: `losses within ${windowMs} ms:`, details: { windowMs } });
}

/** `counted`: each result once, oldest first, without those of zero. */
export function judgeLosses(counted: readonly CountedResult[], { max, inLast, lossSum }: LossOptions): CheckResult {
  if (max === 0 && inLast === undefined && lossSum === undefined) return OFF;
  if (counted.length === 0) return passes('no_results', 'no result counts yet');
  const judged = [
    ...(max === 0 ? [] : [judgeStreak(counted, max)]),
    ...(inLast === undefined ? [] : [judgeInLast(counted, inLast)]),
    ...(lossSum === undefined ? [] : [judgeSum(counted, lossSum)]),
  ];
  return judged.find(({ triggered }) => triggered) ?? nearest(judged);
}

/** Days are told by the results' own times: no step of a clock moves one. */
export function dayOf(atMs: number, { dayStartsAtUtcMinutes }: DailyLossOptions): number {
  return Math.floor((atMs - dayStartsAtUtcMinutes * MINUTE_MS) / DAY_MS);
}

/** `ofDay`: the results of one day, each once. */
export function judgeDailyLoss(ofDay: readonly CountedResult[], { limit }: DailyLossOptions): CheckResult {
  const net = negated(ofDay.reduce((sum, { pnl }) => plus(sum, pnl), NOTHING));
  return againstSum(net.units > 0n ? net : NOTHING, limit, { code: 'daily_loss', what: 'the net loss of the day:' });
}
