/** Trips on losses: so many in a row, so many among the last, or of so large a sum within a time. */
import { checkLosses, type LossesInLast, type LossOptions, type LossSum } from './options.js';
import { againstLimit, type CheckResult, evaluated, isFiniteNumber, nearest, OFF, passes, trips, wordsOf } from './result.js';

/** What became of a position, or of a part of it, when it was closed. */
export interface BreakerResult {
  /** Net of fees. Zero is neither a loss nor the end of a streak. */
  readonly pnl: number;
  /** Unix epoch in ms, by the ledger's own time. */
  readonly atMs: number;
  /** The same id twice is one result. */
  readonly id: string;
}

/** The result that was given, or why it is none. */
export function readResult(given: unknown): BreakerResult | CheckResult {
  if (typeof given !== 'object' || given === null) return trips('pnl_invalid', 'there is no result where one was recorded');
  const { pnl, atMs, id }: Partial<Record<keyof BreakerResult, unknown>> = given;
  if (!isFiniteNumber(pnl)) return trips('pnl_invalid', `the P&L of a result is no finite number: ${wordsOf(pnl)}`);
  // A text would be compared as text: 2024-01-10 before 2024-01-9.
  if (!isFiniteNumber(atMs)) return trips('time_invalid', `the time of a result is not a number of milliseconds: ${wordsOf(atMs)}`);
  if (typeof id !== 'string' || id === '') return trips('pnl_invalid', 'a result has no id: it could not be told from its repetition');
  return { pnl, atMs, id };
}

function judgeStreak(counted: readonly BreakerResult[], max: number): CheckResult {
  let streak = 0;
  while (streak < counted.length && (counted[counted.length - 1 - streak]?.pnl ?? 0) < 0) streak += 1;
  return againstLimit(streak, max, { code: 'consecutive_losses', what: 'losses in a row:', inclusive: true });
}

function judgeInLast(counted: readonly BreakerResult[], { losses, results }: LossesInLast): CheckResult {
  const lost = counted.slice(-results).filter(({ pnl }) => pnl < 0).length;
  return againstLimit(lost, losses, {
    code: 'losses_in_last',
    what: `losses in the last ${results} results:`,
    details: { results },
    inclusive: true,
  });
}

function judgeSum(counted: readonly BreakerResult[], { limit, windowMs }: LossSum): CheckResult {
  let newestMs = -Infinity;
  for (const { atMs } of counted) newestMs = Math.max(newestMs, atMs);
  let sum = 0;
  for (const { atMs, pnl } of counted) if (pnl < 0 && atMs > newestMs - windowMs) sum -= pnl;
  return againstLimit(sum, limit, { code: 'loss_sum', what: `losses within ${windowMs} ms:`, details: { windowMs }, inclusive: true });
}

/** `counted`: valid results, each once, in the order in which they were realised, without those of zero. */
export function judgeLosses(counted: readonly BreakerResult[], { max, inLast, lossSum }: LossOptions): CheckResult {
  if (max === 0 && inLast === undefined && lossSum === undefined) return OFF;
  if (counted.length === 0) return passes('no_results', 'no result counts yet');
  const judged = [
    ...(max === 0 ? [] : [judgeStreak(counted, max)]),
    ...(inLast === undefined ? [] : [judgeInLast(counted, inLast)]),
    ...(lossSum === undefined ? [] : [judgeSum(counted, lossSum)]),
  ];
  return judged.find(({ triggered }) => triggered) ?? nearest(judged);
}

/**
 * Results in the order in which they were realised. Midnight ends no streak, and neither does a result of zero.
 * Never throws on data. Throws `ConfigurationError` for an option that cannot hold.
 */
export function consecutiveLosses(results: readonly BreakerResult[], options: Partial<LossOptions>): CheckResult {
  const checked = checkLosses('consecutiveLosses', options);
  return evaluated(() => {
    const given: unknown = results;
    if (!Array.isArray(given)) return trips('pnl_invalid', 'there is no list of results');
    const counted: BreakerResult[] = [];
    const seen = new Set<string>();
    const list: readonly unknown[] = given;
    for (let index = 0; index < list.length; index += 1) {
      const result = readResult(list[index]);
      if ('triggered' in result) return { ...result, details: { index } };
      if (result.pnl !== 0 && !seen.has(result.id)) counted.push(result);
      seen.add(result.id);
    }
    return judgeLosses(counted, checked);
  });
}
