/** How far a fault reaches: the share of the strategies that it stops, and the share of the orders. Plain arithmetic of what was seen. */
import type { OrderAttempt } from '../../drill/orderLog.js';

export interface BlastRadius {
  /** Of the strategies, those of which an order was refused or lost, from 0 to 1. */
  readonly strategies: number;
  /** Of the orders that were attempted, those that were refused or lost, from 0 to 1. */
  readonly orders: number;
  readonly attempts: number;
}

export interface BlastSpan {
  readonly fromMs: number;
  readonly untilMs: number;
  /** What the ids of each strategy's orders begin with. */
  readonly strategies: readonly string[];
  /** Ids of the orders that the venue took. Absent: those on their way count as taken. */
  readonly taken?: ReadonlySet<string>;
}

export function blastRadius(attempts: readonly OrderAttempt[], { fromMs, untilMs, strategies, taken }: BlastSpan): BlastRadius {
  const within = attempts.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  const hit = within.filter(({ result, clientOrderId }) => result === 'refused' || taken?.has(clientOrderId) === false);
  const struck = strategies.filter((own) => hit.some(({ clientOrderId }) => clientOrderId.startsWith(own)));
  return {
    strategies: strategies.length === 0 ? 0 : struck.length / strategies.length,
    orders: within.length === 0 ? 0 : hit.length / within.length,
    attempts: within.length,
  };
}

export type BlastLimit = Pick<BlastRadius, 'strategies' | 'orders'>;

/** Of fewer orders than this a share says nothing yet. */
const ORDERS_FROM = 100;

/** `atOnce`: while the fault is on, when few orders may have been seen. */
export function isBeyond(blast: BlastRadius, limit: BlastLimit, { atOnce }: { readonly atOnce: boolean }): boolean {
  const isTooWide = blast.strategies > limit.strategies;
  return isTooWide || (blast.orders > limit.orders && (!atOnce || blast.attempts >= ORDERS_FROM));
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export function shownBlast(blast: BlastRadius, limit: BlastLimit): string {
  return `${percent(blast.strategies)} of the strategies, at most ${percent(limit.strategies)}; ${percent(blast.orders)} of ${blast.attempts} orders, at most ${percent(limit.orders)}`;
}
