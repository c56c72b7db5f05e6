/** Losses as breakers count them (pure): by closes, not by fills; a close of exactly zero is neither a loss nor the end of a streak. */
import { sumOf } from './exact.js';
import type { Close, LossCount, LossSum, RealisedResult } from './result.js';

const keyOf = (result: RealisedResult): string =>
  JSON.stringify([result.account, result.symbol, result.strategy ?? null, result.positionSide ?? null, result.orderId ?? null]);

const isLoss = ({ pnl }: Close): boolean => pnl.startsWith('-');
const isZero = ({ pnl }: Close): boolean => pnl === '0';

function closeOf(parts: readonly RealisedResult[], last: RealisedResult): Close {
  const { id, ...rest } = last;
  // Most orders close in one fill, and a sum of one is what it was.
  if (parts.length === 1) return { ...rest, ids: [id] };
  const sum = (figure: 'quantity' | 'pnl' | 'fees' | 'slippage'): string => sumOf(parts.map((part) => part[figure]));
  const figures = { quantity: sum('quantity'), pnl: sum('pnl'), fees: sum('fees'), slippage: sum('slippage') };
  return { ...rest, ids: parts.map((part) => part.id), ...figures };
}

/** Joins the results of one order, at the place of its last one. `results` come oldest first; so do the closes. */
export function closesOf(results: readonly RealisedResult[]): Close[] {
  const orders = new Map<string, RealisedResult[]>();
  const groups = new Set<RealisedResult[]>();
  for (const result of results) {
    const group = (result.orderId === undefined ? undefined : orders.get(keyOf(result))) ?? [];
    group.push(result);
    if (result.orderId !== undefined) orders.set(keyOf(result), group);
    // Taken out and put in again, it stands last.
    groups.delete(group);
    groups.add(group);
  }
  return [...groups].flatMap((group) => {
    const last = group.at(-1);
    return last === undefined ? [] : [closeOf(group, last)];
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

/** Losses among the newest `count` closes. */
export function lossesInLast(closes: readonly Close[], count: number, droppedThroughMs: number | undefined): LossCount {
  const newest = closes.slice(-count);
  const oldest = newest.length === count ? newest[0] : undefined;
  return { losses: newest.filter(isLoss).length, closes: newest.length, complete: known(oldest, droppedThroughMs) };
}

/** What was lost by closes after `sinceMs`. */
export function lossSum(closes: readonly Close[], sinceMs: number, droppedThroughMs: number | undefined): LossSum {
  const losing = closes.filter((close) => close.closedAtMs > sinceMs && isLoss(close));
  const sum = sumOf(losing.map(({ pnl }) => pnl.slice(1)));
  return { sum, losses: losing.length, complete: droppedThroughMs === undefined || droppedThroughMs <= sinceMs };
}
