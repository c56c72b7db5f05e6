/** Trips on a quote that is too wide, too old, or no quote at all. */
import { checkQuote, type QuoteOptions } from './options.js';
import { againstLimit, type CheckResult, evaluated, isFinitePositive, nearest, priceFault, trips } from './result.js';

export interface Quote {
  readonly bid: number;
  readonly ask: number;
}

/** The quote that was given, or why it is none. Bid and ask may be equal. */
export function readQuote(given: unknown): Quote | CheckResult {
  if (typeof given !== 'object' || given === null) return trips('no_quote', 'there is no quote');
  const { bid, ask }: Partial<Record<keyof Quote, unknown>> = given;
  const fault = priceFault(bid, 'the bid') ?? priceFault(ask, 'the ask');
  if (fault !== undefined || !isFinitePositive(bid) || !isFinitePositive(ask)) return fault ?? trips('no_quote', 'there is no quote');
  return ask < bid ? trips('quote_crossed', `the ask ${ask} is below the bid ${bid}`) : { bid, ask };
}

export function middleOf({ bid, ask }: Quote): number {
  // Halved first: the sum of two large prices may be no number.
  return bid / 2 + ask / 2;
}

export function judgeSpread(quote: Quote, { maxSpread = 2 }: QuoteOptions): CheckResult {
  const spread = (quote.ask - quote.bid) / middleOf(quote);
  return againstLimit(spread, maxSpread, { code: 'spread_too_wide', what: 'the spread as a share of the middle:' });
}

export function judgeQuoteAge(nowMs: number, receivedMs: number, maxAgeMs: number): CheckResult {
  const ageMs = nowMs - receivedMs;
  if (!(ageMs >= 0)) return trips('time_invalid', 'the age of the quote cannot be told');
  return againstLimit(ageMs, maxAgeMs, { code: 'quote_stale', what: 'the age in ms of the quote:' });
}

/** `receivedMs` and `nowMs` on the monotonic clock. Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function quoteQuality(
  quote: Quote | undefined,
  times: { readonly nowMs: number; readonly receivedMs: number },
  options: Partial<QuoteOptions>,
): CheckResult {
  const checked = checkQuote('quoteQuality', options);
  return evaluated(() => {
    const { nowMs, receivedMs } = times;
    const read = readQuote(quote);
    if ('triggered' in read) return read;
    const spread = judgeSpread(read, checked);
    const { maxAgeMs } = checked;
    if (spread.triggered || maxAgeMs === undefined) return spread;
    const age = judgeQuoteAge(nowMs, receivedMs, maxAgeMs);
    return age.triggered ? age : nearest([spread, age]);
  });
}
