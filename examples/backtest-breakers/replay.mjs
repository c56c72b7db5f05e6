// Replays bars through one breaker at a time, and through a strategy that trades on them, and notes where the breaker trips.
import { createLedger, createStrategyBreakers } from 'failflat';

/** After a trip somebody looks, and resets; what happens meanwhile is the same trip. */
const PAUSED_BARS = 30;
const FAST = 10;
const SLOW = 40;
/** Money that the strategy began with, all of which it puts into each position. */
const EQUITY = 100_000;

/** A clock that stands where the bars are. */
function barClock(startMs) {
  let nowMs = startMs;
  return {
    moveTo: (ms) => (nowMs = ms),
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    setTimer: () => ({ cancel: () => {} }),
    sleep: async () => {},
  };
}

const meanOf = (bars, count) => bars.slice(-count).reduce((sum, { close }) => sum + close, 0) / Math.min(count, bars.length);

/** Buys when the fast average rises above the slow one, and sells when it falls below. Answers the fill, if there is one. */
function crossing() {
  const seen = [];
  let quantity = 0;
  let fills = 0;
  return (bar, openMs) => {
    seen.push(bar);
    if (seen.length > SLOW) seen.shift();
    const wants = seen.length === SLOW && meanOf(seen, FAST) > meanOf(seen, SLOW);
    if (wants === quantity > 0) return undefined;
    const side = wants ? 'buy' : 'sell';
    const traded = wants ? Math.floor((EQUITY / bar.close) * 100) / 100 : quantity;
    quantity = wants ? traded : 0;
    fills += 1;
    return {
      id: `fill-${fills}`,
      account: 'backtest',
      symbol: 'bars',
      strategy: 'crossing',
      side,
      quantity: traded,
      price: bar.close,
      time: openMs,
    };
  };
}

/** The breakers that are tried, each by itself. */
export const tried = ({ intervalMs, maxMissingBars }) => [
  { name: 'volatility, robust, 4', config: { volatility: { threshold: 4 } } },
  { name: 'volatility, plain, 4', config: { volatility: { threshold: 4, estimator: 'plain' } } },
  { name: 'missing bars', config: { staleData: { maxAgeMs: Number.MAX_SAFE_INTEGER, expectedIntervalMs: intervalMs, maxMissingBars } } },
  { name: '5 losses in a row', config: { consecutiveLosses: { max: 5 } } },
  { name: '8 of 10 results lost', config: { consecutiveLosses: { inLast: { losses: 8, results: 10 } } } },
  { name: '1 % lost in a day', config: { dailyLoss: { limit: EQUITY / 100 } } },
  { name: '5 % below the peak', config: { drawdown: { maxFraction: 0.05 } } },
];

/** Where one breaker trips: the bar, and what it says. */
export async function tripsOf(series, config) {
  const clock = barClock(series.bars[0].openMs);
  const ledger = await createLedger({ clock });
  const breakers = createStrategyBreakers('crossing', config, { clock });
  const trade = crossing();
  const trips = [];
  let pausedUntil = -1;
  let cash = EQUITY;
  let held = 0;
  for (const [index, bar] of series.bars.entries()) {
    clock.moveTo(bar.openMs + series.intervalMs);
    breakers.recordBar(bar);
    const fill = trade(bar, bar.openMs + series.intervalMs);
    if (fill !== undefined) {
      const signed = fill.side === 'buy' ? fill.quantity : -fill.quantity;
      cash -= signed * fill.price;
      held += signed;
      ledger.record(fill);
      breakers.recordFills(ledger);
    }
    breakers.recordEquity(cash + held * bar.close);
    const verdict = breakers.verdict();
    if (!verdict.triggered) continue;
    if (index > pausedUntil) trips.push({ index, openMs: bar.openMs, reasonCode: verdict.reasonCode, message: verdict.message });
    pausedUntil = index + PAUSED_BARS;
    await breakers.reset({ by: 'backtest', reason: 'replayed', rebase: true });
  }
  return trips;
}
