/** What the loss checks make of results: so many in a row, so many among the last, or of so large a sum within a time or a day. */
import { type Exact, exactOfNumber, isAtLeast, NOTHING, negated, textOf } from './exactDecimal.js';
import type { DailyLossOptions, LossesInLast, LossOptions, LossSum } from './options.js';
import { againstLimit, type CheckResult, type Details, nearest, OFF, passes, type ReasonCode, trips } from './result.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** What counts of the results: each one once, and none of zero. */
export interface LossFigures {
  /** Losses since the last win. */
  readonly streak: number;
  /** Losses among so many of the last results. */
  readonly inLast: number;
  /** What was lost within the time before the newest result. */
  readonly lost: Exact;
}

function judgeStreak(streak: number, max: number): CheckResult {
  return againstLimit(streak, max, { code: 'consecutive_losses', what: 'losses in a row:', inclusive: true });
}

function judgeInLast(lost: number, { losses, results }: LossesInLast): CheckResult {
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

function judgeSum(lost: Exact, { limit, windowMs }: LossSum): CheckResult {
  return againstSum(lost, limit, { code: 'loss_sum', what: `losses within ${windowMs} ms:`, details: { windowMs } });
}

/** `undefined`: nothing counts yet. */
export function judgeLosses(figures: LossFigures | undefined, { max, inLast, lossSum }: LossOptions): CheckResult {
  if (max === 0 && inLast === undefined && lossSum === undefined) return OFF;
  if (figures === undefined) return passes('no_results', 'no result counts yet');
  const judged = [
    ...(max === 0 ? [] : [judgeStreak(figures.streak, max)]),
    ...(inLast === undefined ? [] : [judgeInLast(figures.inLast, inLast)]),
    ...(lossSum === undefined ? [] : [judgeSum(figures.lost, lossSum)]),
  ];
  return judged.find(({ triggered }) => triggered) ?? nearest(judged);
}

/** Days are told by the results' own times: no step of a clock moves one. */
export function dayOf(atMs: number, { dayStartsAtUtcMinutes }: DailyLossOptions): number {
  return Math.floor((atMs - dayStartsAtUtcMinutes * MINUTE_MS) / DAY_MS);
}

/** When a day begins. */
export function dayStartMs(day: number, { dayStartsAtUtcMinutes }: DailyLossOptions): number {
  return day * DAY_MS + dayStartsAtUtcMinutes * MINUTE_MS;
}

/** `result`: what the results of one day are together. */
export function judgeDailyLoss(result: Exact, { limit }: DailyLossOptions): CheckResult {
  const net = negated(result);
  return againstSum(net.units > 0n ? net : NOTHING, limit, { code: 'daily_loss', what: 'the net loss of the day:' });
}
