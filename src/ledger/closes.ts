/** Losses as breakers count them (pure): by closes, not by fills; a close of exactly zero is neither a loss nor the end of a streak. */
import { sumOf } from './exact.js';
import type { Close, LossCount, LossSum, RealisedResult } from './result.js';

/** Worked out once for each result: results are never changed, and every question goes through all that are kept. */
const keys = new WeakMap<RealisedResult, string>();

function keyOf(result: RealisedResult): string {
  const before = keys.get(result);
  if (before !== undefined) return before;
  const { account, symbol, strategy, positionSide, orderId } = result;
  const key = JSON.stringify([account, symbol, strategy ?? null, positionSide ?? null, orderId ?? null]);
  keys.set(result, key);
  return key;
}

const isLoss = ({ pnl }: Close): boolean => pnl.startsWith('-');
const isZero = ({ pnl }: Close): boolean => pnl === '0';

/** Results of one order as one, at the place of its last. */
export function closeOf(parts: readonly RealisedResult[], last: RealisedResult): Close {
  const { id, ...rest } = last;
  // Most orders close in one fill, and a sum of one is what it was.
  if (parts.length === 1) return { ...rest, ids: [id] };
  const sum = (figure: 'quantity' | 'pnl' | 'fees' | 'slippage'): string => sumOf(parts.map((part) => part[figure]));
  const figures = { quantity: sum('quantity'), pnl: sum('pnl'), fees: sum('fees'), slippage: sum('slippage') };
  return { ...rest, ids: parts.map((part) => part.id), ...figures };
}

function joined(close: Close, { id, ...last }: RealisedResult): Close {
  const sum = (figure: 'quantity' | 'pnl' | 'fees' | 'slippage'): string => sumOf([close[figure], last[figure]]);
  const figures = { quantity: sum('quantity'), pnl: sum('pnl'), fees: sum('fees'), slippage: sum('slippage') };
  return { ...last, ids: [...close.ids, id], ...figures };
}

interface Group {
  readonly parts: readonly RealisedResult[];
  readonly close: Close;
}

/** By the last result of each: who asks again is given the same close, as long as it is one. */
const groups = new WeakMap<RealisedResult, Group>();

const isOf = (group: Group | undefined, parts: readonly RealisedResult[], count: number): group is Group =>
  group?.parts.length === count && group.parts.every((part, index) => part === parts[index]);

/** As {@link closeOf}; an order that has filled on costs one sum more, and not all of them again. */
export function groupOf(parts: readonly RealisedResult[], last: RealisedResult): Close {
  const before = groups.get(last);
  if (isOf(before, parts, parts.length)) return before.close;
  const earlier = parts.at(-2);
  const shorter = earlier === undefined || parts.at(-1) !== last ? undefined : groups.get(earlier);
  const close = isOf(shorter, parts, parts.length - 1) ? joined(shorter.close, last) : closeOf(parts, last);
  // Its parts are all in the longer one: kept for each length, they would fill the memory.
  if (earlier !== undefined) groups.delete(earlier);
  groups.set(last, { parts, close });
  return close;
}

/** Joins the results of one order, at the place of its last one. `results` come oldest first; so do the closes. */
export function closesOf(results: readonly RealisedResult[]): Close[] {
  const orders = new Map<string, RealisedResult[]>();
  /** The last part of each order so far, which is where its close stands. */
  const lastOf = new Map<RealisedResult[], RealisedResult>();
  const partsOf = results.map((result) => {
    if (result.orderId === undefined) return [result];
    const key = keyOf(result);
    const parts = orders.get(key) ?? [];
    orders.set(key, parts);
    parts.push(result);
    lastOf.set(parts, result);
    return parts;
  });
  return results.flatMap((result, index) => {
    const parts = partsOf[index] ?? [result];
    return result.orderId === undefined || lastOf.get(parts) === result ? [groupOf(parts, result)] : [];
  });
}

/** Are all closes from this one on known? `undefined`: from the first that there ever was. */
function known(since: Close | undefined, droppedThroughMs: number | undefined): boolean {
  return droppedThroughMs === undefined || (since !== undefined && since.closedAtMs > droppedThroughMs);
}

/** Losses since the last gain. */
export function consecutiveLosses(closes: readonly Close[], droppedThroughMs: number | undefined): LossCount {
  const gain = closes.findLastIndex((close) => !isLoss(close) && !isZero(close));
  const since = closes.slice(gain + 1);
  return { losses: since.filter(isLoss).length, closes: since.length, complete: known(closes[gain], droppedThroughMs) };
}

/** Losses among the newest `count` closes that were not of exactly zero. */
export function lossesInLast(closes: readonly Close[], count: number, droppedThroughMs: number | undefined): LossCount {
  const newest = closes.filter((close) => !isZero(close)).slice(-count);
  const oldest = newest.length === count ? newest[0] : undefined;
  return { losses: newest.filter(isLoss).length, closes: newest.length, complete: known(oldest, droppedThroughMs) };
}

/** What was lost by closes after `sinceMs`. */
export function lossSum(closes: readonly Close[], sinceMs: number, droppedThroughMs: number | undefined): LossSum {
  // Written so that a time that is no number leaves no loss out.
  const losing = closes.filter((close) => !(close.closedAtMs <= sinceMs) && isLoss(close));
  const sum = sumOf(losing.map(({ pnl }) => pnl.slice(1)));
  return { sum, losses: losing.length, complete: droppedThroughMs === undefined || droppedThroughMs <= sinceMs };
}
