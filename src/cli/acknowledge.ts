/** Reads `ACCOUNT:SYMBOL=QUANTITY`, as an operator acknowledges an open position. */
import { ConfigurationError } from '../errors.js';
import type { BookPosition } from '../tradingState/rearmPlan.js';

export function parseAcknowledged(written: string): BookPosition {
  const [, account, symbol, amount = ''] = /^([^:]+):(.+)=([^=]+)$/.exec(written) ?? [];
  const quantity = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(amount) ? Number(amount) : Number.NaN;
  if (account === undefined || symbol === undefined || !Number.isFinite(quantity) || quantity === 0) {
    throw new ConfigurationError(
      '--acknowledge',
      written,
      'must be ACCOUNT:SYMBOL=QUANTITY, like default:AAPL=-10, with a quantity that is not 0',
    );
  }
  return { account, symbol, quantity };
}
