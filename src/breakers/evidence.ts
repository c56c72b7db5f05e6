/** What one strategy's breakers have seen, and what their checks make of it. Knows nothing of trips. */

import type { ResultSource } from '../messages/result.js';
import { type BarPoint, judgeBar } from './bar.js';
import type { BreakerType, CheckedConfig } from './config.js';
import { equityFault, judgeDrawdown } from './drawdown.js';
import { LossBook, type LossFindings } from './lossBook.js';
import { noBars } from './missingMarketData.js';
import { MISSING_DATA_DEFAULTS } from './options.js';
import type { OrderRecord } from './order.js';
import { OrderBook } from './orderBook.js';
import { judgeQuoteAge, judgeSpread, middleOf, type Quote, readQuote } from './quoteQuality.js';
import { type CheckResult, trips } from './result.js';
import { judgeAge, judgeGap } from './staleMarketData.js';
import { VolatilityStream } from './volatilityStream.js';

export interface Finding {
  readonly type: BreakerType;
  readonly result: CheckResult;
}

/** What is known of one symbol. */
interface SymbolFeed {
  bar: BarPoint | undefined;
  barMs: number;
  readonly volatility: VolatilityStream | undefined;
  quote: Quote | undefined;
  quoteMs: number;
}

const NOTHING: readonly Finding[] = [];
const NO_BARS = noBars(MISSING_DATA_DEFAULTS);
const NO_QUOTE = trips('no_quote', 'there is no quote yet');

const symbolOf = (given: unknown): string =>
  typeof given === 'object' && given !== null && 'symbol' in given && typeof given.symbol === 'string' ? given.symbol : '';

function lossesFound(found: CheckResult | LossFindings): readonly Finding[] {
  if ('triggered' in found) return [{ type: 'invalid_data', result: found }];
  return [
    { type: 'consecutive_losses', result: found.losses },
    { type: 'daily_loss', result: found.daily },
    ...(found.missing === undefined ? [] : [{ type: 'invalid_data' as const, result: found.missing }]),
  ];
}

export class Evidence {
  readonly #config: CheckedConfig;
  readonly #feeds = new Map<string, SymbolFeed>();
  readonly #losses: LossBook;
  readonly #orders: OrderBook;
  #equity: { peak: number; newest: number } | undefined;
  #bars = 0;
  #quotes = 0;
  /** Nothing can be too old before this time. A receipt only moves the true one on. */
  #dueMs = Infinity;

  constructor(config: CheckedConfig) {
    this.#config = config;
    this.#losses = new LossBook(config.consecutiveLosses, config.dailyLoss);
    this.#orders = new OrderBook(config);
  }

  /** Why no order may go out yet, although nothing has gone wrong: what is needed has not come. */
  waiting(): Finding | undefined {
    const { missingData, staleData, volatility, quote } = this.#config;
    if (this.#bars === 0 && (missingData || staleData !== undefined)) return { type: 'missing_market_data', result: NO_BARS };
    if (quote !== undefined && this.#quotes === 0) return { type: 'quote', result: NO_QUOTE };
    if (volatility?.onInsufficientData !== 'trip' || volatility.threshold === 0) return undefined;
    if (this.#bars === 0) return { type: 'abnormal_volatility', result: NO_BARS };
    for (const feed of this.#feeds.values()) {
      const result = feed.volatility?.judge();
      if (result?.reasonCode === 'volatility_insufficient_data') return { type: 'abnormal_volatility', result };
    }
    return undefined;
  }

  /** What time alone has made true. */
  atTime(nowMs: number): readonly Finding[] {
    if (nowMs < this.#dueMs) return NOTHING;
    const found: Finding[] = [];
    let dueMs = Infinity;
    const { staleData, quote } = this.#config;
    for (const feed of this.#feeds.values()) {
      if (staleData !== undefined && feed.bar !== undefined) {
        found.push({ type: 'stale_market_data', result: judgeAge(nowMs, feed.barMs, staleData) });
        dueMs = Math.min(dueMs, feed.barMs + staleData.maxAgeMs);
      }
      if (quote?.maxAgeMs !== undefined && feed.quote !== undefined) {
        found.push({ type: 'quote', result: judgeQuoteAge(nowMs, feed.quoteMs, quote.maxAgeMs) });
        dueMs = Math.min(dueMs, feed.quoteMs + quote.maxAgeMs);
      }
    }
    this.#dueMs = dueMs;
    return found.filter(({ result }) => result.triggered);
  }

  noBars(): readonly Finding[] {
    return this.#config.missingData ? [{ type: 'missing_market_data', result: NO_BARS }] : NOTHING;
  }

  bar(given: unknown, nowMs: number, latestWallMs: number): readonly Finding[] {
    const symbol = symbolOf(given);
    const { staleData } = this.#config;
    const judged = judgeBar(given, { previous: this.#feeds.get(symbol)?.bar, latestWallMs });
    if (judged.kind === 'faulty') return [{ type: 'invalid_data', result: judged.result }];
    if (judged.kind === 'repeated') return NOTHING;
    // Only now: a symbol that no bar could be used of would be waited for, reset or not.
    const feed = this.#feedOf(symbol);
    const found: Finding[] = [];
    if (staleData !== undefined && feed.bar !== undefined) {
      // Before the receipt counts: a feed that was silent for too long was so, even if nobody asked meanwhile.
      found.push({ type: 'stale_market_data', result: judgeAge(nowMs, feed.barMs, staleData) });
      found.push({ type: 'stale_market_data', result: judgeGap(feed.bar.openMs, judged.bar.openMs, staleData) });
    }
    feed.bar = judged.bar;
    feed.barMs = nowMs;
    this.#bars += 1;
    if (staleData !== undefined) this.#dueMs = Math.min(this.#dueMs, nowMs + staleData.maxAgeMs);
    const volatility = feed.volatility?.push(judged.bar.close);
    // While the windows fill the strategy waits; that is no trip.
    if (volatility !== undefined && volatility.reasonCode !== 'volatility_insufficient_data') {
      found.push({ type: 'abnormal_volatility', result: volatility });
    }
    return found;
  }

  quote(given: unknown, nowMs: number): readonly Finding[] {
    const { quote: options } = this.#config;
    const quote = readQuote(given);
    if ('triggered' in quote) return [{ type: 'invalid_data', result: quote }];
    const feed = this.#feedOf(symbolOf(given));
    const found: Finding[] = [];
    if (options?.maxAgeMs !== undefined && feed.quote !== undefined) {
      found.push({ type: 'quote', result: judgeQuoteAge(nowMs, feed.quoteMs, options.maxAgeMs) });
    }
    feed.quote = quote;
    feed.quoteMs = nowMs;
    this.#quotes += 1;
    if (options?.maxAgeMs !== undefined) this.#dueMs = Math.min(this.#dueMs, nowMs + options.maxAgeMs);
    if (options !== undefined) found.push({ type: 'quote', result: judgeSpread(quote, options) });
    return found;
  }

  result(given: unknown, latestWallMs: number): readonly Finding[] {
    return lossesFound(this.#losses.take(given, latestWallMs));
  }

  results(source: ResultSource, strategy: string, latestWallMs: number): readonly Finding[] {
    const found = lossesFound(this.#losses.takeAll(source, strategy, latestWallMs));
    // Last: a refusal counts as told from here on, and would be lost with a reading that fails.
    const refused = this.#losses.newRefusals(source, strategy);
    return refused === undefined ? found : [{ type: 'invalid_data', result: refused }, ...found];
  }

  equity(given: unknown): readonly Finding[] {
    const fault = equityFault(given);
    if (fault !== undefined) return [{ type: 'invalid_data', result: fault }];
    const newest = Number(given);
    this.#equity = { peak: Math.max(newest, this.#equity?.peak ?? 0), newest };
    const { drawdown } = this.#config;
    return drawdown === undefined ? NOTHING : [{ type: 'drawdown', result: judgeDrawdown(this.#equity.peak, newest, drawdown) }];
  }

  intent(count: unknown, nowMs: number): readonly Finding[] {
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) {
      this.#orders.intent(count, nowMs);
      return NOTHING;
    }
    return [{ type: 'invalid_data', result: trips('count_invalid', 'the number of intents is not a count') }];
  }

  order(given: unknown, nowMs: number): readonly Finding[] {
    return this.#orders.take(given, nowMs, (order) => this.#referenceFor(order));
  }

  /** Streaks, sums and rates begin again. Bars stand: they are facts of the market. Peak and day begin again only with `rebase`. */
  restart({ rebase }: { readonly rebase: boolean }): void {
    this.#losses.restart({ rebase });
    this.#orders.clear();
    if (rebase && this.#equity !== undefined) this.#equity.peak = this.#equity.newest;
  }

  // A feed that names no symbol is that of all of them. What came last is the market: quotes may have ended long before the bars.
  #referenceFor({ symbol }: OrderRecord): number | undefined {
    const feed = this.#feeds.get(symbol) ?? this.#feeds.get('');
    if (feed?.quote === undefined || feed.quoteMs < feed.barMs) return feed?.bar?.close;
    return middleOf(feed.quote);
  }

  #feedOf(symbol: string): SymbolFeed {
    const known = this.#feeds.get(symbol);
    if (known !== undefined) return known;
    const { volatility } = this.#config;
    const stream = volatility === undefined ? undefined : new VolatilityStream(volatility);
    const feed = { bar: undefined, barMs: -Infinity, volatility: stream, quote: undefined, quoteMs: -Infinity };
    this.#feeds.set(symbol, feed);
    return feed;
  }
}
