/** Ages, gaps, quotes and collars of a stream against the checks over what has come: the same answer at every moment. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkConfig } from '../../src/breakers/config.js';
import { Evidence, type Finding } from '../../src/breakers/evidence.js';
import { priceCollar } from '../../src/breakers/priceCollar.js';
import { quoteQuality } from '../../src/breakers/quoteQuality.js';
import { staleMarketData } from '../../src/breakers/staleMarketData.js';
import { fcSeed } from '../support/seed.js';

const STALE = { maxAgeMs: 100, expectedIntervalMs: 10, maxMissingBars: 2 };
const QUOTE = { maxSpread: 0.01, maxAgeMs: 70 };
const COLLAR = { maxDeviation: 0.05 };
const SYMBOLS = ['AAPL', 'MSFT'] as const;

const step = fc.record({
  afterMs: fc.constantFrom(0, 1, 20, 69, 70, 71, 99, 100, 101),
  symbol: fc.constantFrom(...SYMBOLS),
  what: fc.constantFrom('bar', 'bar', 'quote', 'order', 'nothing'),
  barsOn: fc.constantFrom(1, 1, 3, 4),
  price: fc.constantFrom(100, 104, 106, 100.5),
  spread: fc.constantFrom(0, 0.5, 2),
});

interface Feed {
  openMs: number;
  close: number | undefined;
  barMs: number;
  quote: { bid: number; ask: number } | undefined;
  quoteMs: number;
}

const triggered = (findings: readonly Finding[], type: string): boolean =>
  findings.some((finding) => finding.type === type && finding.result.triggered);

it('says at every moment what the checks over all that has come say', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const evidence = new Evidence(checkConfig({ staleData: STALE, quote: QUOTE, priceCollar: COLLAR }));
      const feeds = new Map(
        SYMBOLS.map((symbol): [string, Feed] => [symbol, { openMs: 0, close: undefined, barMs: 0, quote: undefined, quoteMs: 0 }]),
      );
      let nowMs = 1_000;
      for (const { afterMs, symbol, what, barsOn, price, spread } of steps) {
        nowMs += afterMs;
        const feed = feeds.get(symbol);
        if (feed === undefined) throw new Error('no feed');
        const aged = evidence.atTime(nowMs);
        const all = [...feeds.values()];
        const isBarOld = ({ close, barMs }: Feed): boolean =>
          close !== undefined && staleMarketData({ nowMs, receivedMs: barMs }, STALE).triggered;
        const isQuoteOld = ({ quote, quoteMs }: Feed): boolean =>
          quote !== undefined && quoteQuality({ bid: 1, ask: 1 }, { nowMs, receivedMs: quoteMs }, QUOTE).triggered;
        expect(triggered(aged, 'stale_market_data')).toBe(all.some(isBarOld));
        expect(triggered(aged, 'quote')).toBe(all.some(isQuoteOld));
        if (what === 'bar') {
          const openMs = feed.openMs + barsOn * STALE.expectedIntervalMs;
          const bars = feed.close === undefined ? [{ openMs }] : [{ openMs: feed.openMs }, { openMs }];
          const isGap = staleMarketData({ nowMs, receivedMs: nowMs, bars }, STALE).triggered;
          const expected = isGap || isBarOld(feed);
          expect(triggered(evidence.bar({ symbol, openMs, close: price }, nowMs, Infinity), 'stale_market_data')).toBe(expected);
          Object.assign(feed, { openMs, close: price, barMs: nowMs });
        } else if (what === 'quote') {
          const quote = { bid: price, ask: price + spread };
          const expected = isQuoteOld(feed) || quoteQuality(quote, { nowMs, receivedMs: nowMs }, QUOTE).triggered;
          expect(triggered(evidence.quote({ symbol, ...quote }, nowMs), 'quote')).toBe(expected);
          Object.assign(feed, { quote, quoteMs: nowMs });
        } else if (what === 'order') {
          // Whichever came last is the market.
          const isBarNewer = feed.quote === undefined || feed.quoteMs < feed.barMs;
          const reference = isBarNewer ? feed.close : ((feed.quote?.bid ?? 0) + (feed.quote?.ask ?? 0)) / 2;
          const found = evidence.order({ symbol, side: 'buy', quantity: 1, price }, nowMs);
          expect(triggered(found, 'price_collar')).toBe(priceCollar({ price, reference }, COLLAR).triggered);
        }
      }
    }),
    { seed: fcSeed, numRuns: 400 },
  );
});
