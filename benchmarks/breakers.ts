/** What breakers cost for each bar: one strategy and ten thousand, a long window and a short one, beside recomputation and a library of indicators. */
import { loadavg } from 'node:os';
import { BollingerBands } from 'trading-signals';
import { abnormalVolatility } from '../src/breakers/abnormalVolatility.js';
import { VOLATILITY_DEFAULTS, type VolatilityOptions } from '../src/breakers/options.js';
import { createStrategyBreakers } from '../src/breakers/strategyBreakers.js';
import { logReturn } from '../src/breakers/volatility.js';
import { VolatilityStream } from '../src/breakers/volatilityStream.js';
import { createLedger } from '../src/ledger/createLedger.js';
import type { LedgerFill } from '../src/ledger/fill.js';
import { seededRandom } from '../src/random.js';
import { ManualClock } from '../src/testing/manualClock.js';
import { type BudgetRow, budgetRow, median } from './budget.js';
import { ratiosOf, shuffledRounds } from './parts/rounds.js';
import { nowMs } from './parts/samples.js';

const ROUNDS = 9;
const SHORT = 30;
const LONG = 500;
const BARS = 100_000;
/** Enough to fill a window that is recomputed, and a little more. */
const RECOMPUTED_BARS = 4_000;
const STRATEGIES = 10_000;
const RESULTS = 20_000;
const BAR_MS = 60_000;
/** Results that the losses are counted in. */
const FEW = 30;
const MANY = 500;
/** Closes within the horizon of a busy ledger, and fills that are measured after them. */
const KEPT_CLOSES = 10_000;
const FILLS = 1_000;
const HOUR_MS = 3_600_000;
/** Never reached: a trip would end what is measured. */
const THRESHOLD = 1e6;

type Figures = ReadonlyMap<string, readonly number[]>;

const optionsOf = (baselineN: number, estimator: VolatilityOptions['estimator']): VolatilityOptions => ({
  ...VOLATILITY_DEFAULTS,
  threshold: THRESHOLD,
  baselineN,
  estimator,
});

function walk(bars: number): readonly number[] {
  const random = seededRandom(20_150_824);
  let close = 100;
  return Array.from({ length: bars }, () => (close *= 1 + (random.next() - 0.5) * 2e-3));
}

/** The time of one item, in ns; `use` hands each to whoever is measured. */
async function nanosOfItems<T>(items: readonly T[], use: (item: T) => { readonly triggered: boolean }): Promise<number> {
  let trips = 0;
  const startedMs = nowMs();
  for (const item of items) if (use(item).triggered) trips += 1;
  const tookMs = nowMs() - startedMs;
  if (trips > 0) throw new Error(`${trips} trips in the middle of it`);
  return (tookMs * 1e6) / items.length;
}

const streamed = (closes: readonly number[], options: VolatilityOptions) => () => {
  const stream = new VolatilityStream(options);
  return nanosOfItems(closes, (close) => stream.push(close));
};

/** The same check over the list of the last closes, as programs do that keep bars in an array. */
const recomputed = (closes: readonly number[], options: VolatilityOptions) => () => {
  const kept: number[] = [];
  const needed = options.recentN + options.baselineN + 3;
  return nanosOfItems(closes, (close) => {
    kept.push(close);
    if (kept.length > needed) kept.shift();
    return abnormalVolatility(kept, options);
  });
};

/** The same figures from bands of one deviation around the mean of the returns, as the library gives them. */
const byBands =
  (closes: readonly number[], { recentN, baselineN }: VolatilityOptions) =>
  () => {
    const recent = new BollingerBands(recentN, 1);
    const baseline = new BollingerBands(baselineN, 1);
    const waiting: number[] = [];
    let previous: number | undefined;
    return nanosOfItems(closes, (close) => {
      const change = logReturn(previous ?? close, close);
      previous = close;
      waiting.push(change);
      const near = recent.update(change, false);
      const left = waiting.length > recentN ? waiting.shift() : undefined;
      const far = left === undefined ? null : baseline.update(left, false);
      return { triggered: near !== null && far !== null && near.upper - near.middle > THRESHOLD * (far.upper - far.middle) };
    });
  };

async function windows(): Promise<readonly BudgetRow[]> {
  const closes = walk(BARS);
  const few = closes.slice(0, RECOMPUTED_BARS);
  const figures = await shuffledRounds(ROUNDS, {
    'robust short': streamed(closes, optionsOf(SHORT, 'robust')),
    'robust long': streamed(closes, optionsOf(LONG, 'robust')),
    'plain short': streamed(closes, optionsOf(SHORT, 'plain')),
    'plain long': streamed(closes, optionsOf(LONG, 'plain')),
    'recomputed short': recomputed(few, optionsOf(SHORT, 'plain')),
    'recomputed long': recomputed(few, optionsOf(LONG, 'plain')),
    'bands short': byBands(few, optionsOf(SHORT, 'plain')),
    'bands long': byBands(few, optionsOf(LONG, 'plain')),
  });
  const nanos = (name: string) => median(figures.get(name) ?? []);
  const over = (name: string, base: string) => median(ratiosOf(figures, name, base));
  const longOverShort = {
    'recomputed at each bar': over('recomputed long', 'recomputed short'),
    'trading-signals': over('bands long', 'bands short'),
  };
  return [
    budgetRow(`volatility, plain: window of ${LONG} over ${SHORT}`, 1.1, ratiosOf(figures, 'plain long', 'plain short'), {
      ...longOverShort,
      'ns a bar': nanos('plain long'),
    }),
    budgetRow(`volatility, robust: window of ${LONG} over ${SHORT}`, 1.1, ratiosOf(figures, 'robust long', 'robust short'), {
      ...longOverShort,
      'ns a bar': nanos('robust long'),
    }),
    budgetRow(`volatility, plain, window of ${SHORT}, over recomputation`, 1, ratiosOf(figures, 'plain short', 'recomputed short'), {
      'trading-signals over recomputation': over('bands short', 'recomputed short'),
      'trading-signals ns a bar': nanos('bands short'),
      'recomputed ns a bar': nanos('recomputed short'),
    }),
    budgetRow(`volatility, plain, window of ${LONG}, over recomputation`, 0.1, ratiosOf(figures, 'plain long', 'recomputed long'), {
      'trading-signals over recomputation': over('bands long', 'recomputed long'),
      'trading-signals ns a bar': nanos('bands long'),
      'recomputed ns a bar': nanos('recomputed long'),
    }),
    orderStatistics(figures),
  ];
}

/** The middle one of three closes is the only order statistic that is taken at each bar. */
function orderStatistics(figures: Figures): BudgetRow {
  return budgetRow('order statistics: robust over plain, window of 500', 1.5, ratiosOf(figures, 'robust long', 'plain long'));
}

const CONFIG = { missingData: true, staleData: { maxAgeMs: 600_000, expectedIntervalMs: BAR_MS }, volatility: { threshold: THRESHOLD } };

/** Bars through everything that looks at them, one strategy after the other, each with windows of its own. */
async function strategies(): Promise<readonly BudgetRow[]> {
  const bars = (count: number) => walk(count).map((close, index) => ({ openMs: index * BAR_MS, close }));
  const ofOne = bars(BARS);
  const ofEach = bars(40);
  // Made once: what is measured is the bars.
  const many = Array.from({ length: STRATEGIES }, (_, index) => createStrategyBreakers(`s${index}`, CONFIG));
  let later = 0;
  const figures = await shuffledRounds(ROUNDS, {
    one: () => {
      const breakers = createStrategyBreakers('one', CONFIG);
      return nanosOfItems(ofOne, (bar) => breakers.recordBar(bar));
    },
    many: () => {
      const since = later;
      later += ofEach.length;
      const interleaved = ofEach.flatMap((bar, index) => many.map((breakers) => ({ breakers, openMs: (since + index) * BAR_MS, bar })));
      return nanosOfItems(interleaved, ({ breakers, openMs, bar }) => breakers.recordBar({ ...bar, openMs }));
    },
  });
  const perSecond = (name: string) => 1e9 / median(figures.get(name) ?? []);
  const micros = (name: string) => (figures.get(name) ?? []).map((nanos) => nanos / 1_000);
  return [
    budgetRow('one strategy, all checks on bars, µs a bar', 10, micros('one'), { 'bars a second': perSecond('one') }),
    budgetRow(`${STRATEGIES} strategies in turn, µs a bar`, 20, micros('many'), {
      'bars a second': perSecond('many'),
      'over one strategy': median(ratiosOf(figures, 'many', 'one')),
    }),
  ];
}

/** Losses among the last results: kept in the order of time, in which a late one finds its place. */
async function losses(): Promise<readonly BudgetRow[]> {
  const results = Array.from({ length: RESULTS }, (_, index) => ({
    pnl: index % 2 === 0 ? '-1' : '1',
    closedAtMs: index,
    ids: [`${index}`],
  }));
  const counted = (count: number) => () => {
    const breakers = createStrategyBreakers('losing', { consecutiveLosses: { max: 3, inLast: { losses: count, results: count } } });
    return nanosOfItems(results, (result) => breakers.recordFill(result));
  };
  const figures = await shuffledRounds(ROUNDS, { few: counted(FEW), many: counted(MANY) });
  const limit = Math.log2(MANY) / Math.log2(FEW);
  return [
    budgetRow(`losses in the last ${MANY} results over the last ${FEW}`, limit, ratiosOf(figures, 'many', 'few'), {
      'ns a result': median(figures.get('many') ?? []),
    }),
  ];
}

/** Round trips, each of two fills a tenth of a second apart. */
function fillAt(index: number, startMs: number): LedgerFill {
  const side = index % 2 === 0 ? 'buy' : 'sell';
  const price = 100 + ((index * 7) % 13) / 10;
  return { id: `f${index}`, account: 'main', symbol: 'BARS', strategy: 'filled', side, quantity: 1, price, time: startMs + index * 100 };
}

/** A fill goes into the ledger and from there to the breakers, with so many closes of the last hour before it, all of which may still change. */
async function ledgerFills(): Promise<readonly BudgetRow[]> {
  const startMs = Date.UTC(2015, 7, 24, 14);
  const clock = new ManualClock({ wallMs: startMs + HOUR_MS });
  const config = { consecutiveLosses: { max: MANY, inLast: { losses: MANY, results: MANY } }, dailyLoss: { limit: THRESHOLD } };
  const read = (closes: number) => async () => {
    const ledger = await createLedger({ clock });
    const breakers = createStrategyBreakers('filled', config, { clock });
    for (let index = 0; index < 2 * closes; index += 1) ledger.record(fillAt(index, startMs));
    breakers.recordFills(ledger);
    const fills = Array.from({ length: FILLS }, (_, index) => fillAt(2 * closes + index, startMs));
    return nanosOfItems(fills, (fill) => {
      ledger.record(fill);
      return breakers.recordFills(ledger);
    });
  };
  const figures = await shuffledRounds(ROUNDS, { few: read(MANY), many: read(KEPT_CLOSES) });
  const limit = Math.log2(KEPT_CLOSES) / Math.log2(MANY);
  return [
    budgetRow(`a fill through the ledger, with ${KEPT_CLOSES} closes kept over ${MANY}`, limit, ratiosOf(figures, 'many', 'few'), {
      'ns a fill': median(figures.get('many') ?? []),
    }),
  ];
}

export async function run(): Promise<readonly BudgetRow[]> {
  const rows = [...(await windows()), ...(await strategies()), ...(await losses()), ...(await ledgerFills())];
  return rows.map((row) => ({ ...row, peers: { ...row.peers, 'load average': loadavg()[0] ?? Number.NaN } }));
}
