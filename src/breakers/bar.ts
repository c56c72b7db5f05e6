/** One bar as the breakers take it, and whether it can be believed. */
import { type CheckResult, isFiniteNumber, isFinitePositive, OK, priceFault, trips } from './result.js';

/** A price bar. Prices that are given must be prices; `close` must be given. */
export interface PriceBar {
  /** Start of the bar by the data's own time, Unix epoch in ms. */
  readonly openMs: number;
  readonly close: number;
  readonly open?: number;
  readonly high?: number;
  readonly low?: number;
}

const OTHER_PRICES = ['open', 'high', 'low'] as const;

/** What is kept of a bar. */
export type BarPoint = Pick<PriceBar, 'openMs' | 'close'>;

/** What a bar is judged against. */
export interface BarContext {
  readonly previous: BarPoint | undefined;
  /** The latest that anyone may say it is: Unix epoch in ms. */
  readonly latestWallMs: number;
}

export type BarJudgement =
  | { readonly kind: 'usable'; readonly bar: BarPoint }
  /** The same bar again, as feeds send it after a reconnect. */
  | { readonly kind: 'repeated' }
  | { readonly kind: 'faulty'; readonly result: CheckResult };

const faulty = (result: CheckResult): BarJudgement => ({ kind: 'faulty', result });

/** May throw where the bar is an object that throws when it is read. */
export function judgeBar(given: unknown, { previous, latestWallMs }: BarContext): BarJudgement {
  if (typeof given !== 'object' || given === null) return faulty(trips('bar_missing', 'there is no bar where one was recorded'));
  const bar: Partial<Record<keyof PriceBar, unknown>> = given;
  const { openMs, close } = bar;
  const fault = priceFault(close, 'the close');
  if (fault !== undefined || !isFinitePositive(close)) return faulty(fault ?? trips('price_missing', 'the close is missing'));
  for (const name of OTHER_PRICES) {
    const other = name in bar ? priceFault(bar[name], `the ${name}`) : undefined;
    if (other !== undefined) return faulty(other);
  }
  if (!isFiniteNumber(openMs)) return faulty(trips('time_invalid', 'the time of the bar is not a number of milliseconds'));
  // Written so that a clock that is no number makes no bar one of the past.
  if (!(openMs <= latestWallMs)) {
    return faulty(
      trips('bar_from_future', `the bar is dated ${openMs - latestWallMs} ms ahead`, { openMs, aheadMs: openMs - latestWallMs }),
    );
  }
  if (previous !== undefined && openMs <= previous.openMs) {
    if (openMs === previous.openMs && close === previous.close) return { kind: 'repeated' };
    return faulty(
      trips('bar_out_of_order', `the bar is dated ${previous.openMs - openMs} ms before the one that came before it`, {
        openMs,
        previousMs: previous.openMs,
      }),
    );
  }
  return { kind: 'usable', bar: { openMs, close } };
}

/** The first price in a list that is none. */
export function firstPriceFault(prices: readonly unknown[], name: string): CheckResult {
  for (let index = 0; index < prices.length; index += 1) {
    const fault = priceFault(prices[index], `${name} ${index}`);
    if (fault !== undefined) return { ...fault, details: { index } };
  }
  return OK;
}
