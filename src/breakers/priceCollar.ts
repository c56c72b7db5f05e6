/** Trips where an order is priced too far from the market. */
import { checkPriceCollar, type PriceCollarOptions } from './options.js';
import { againstLimit, type CheckResult, evaluated, priceFault, trips } from './result.js';

export function judgeCollar(price: unknown, reference: unknown, { maxDeviation }: PriceCollarOptions): CheckResult {
  if (reference === undefined) return trips('collar_no_reference', 'there is no market price to hold the order against');
  const fault = priceFault(price, 'the price of the order') ?? priceFault(reference, 'the reference');
  if (fault !== undefined) return fault;
  const deviation = Math.abs(Number(price) - Number(reference)) / Number(reference);
  return againstLimit(deviation, maxDeviation, {
    code: 'price_collar',
    what: 'the distance from the reference:',
    details: { price: Number(price), reference: Number(reference) },
  });
}

/** Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function priceCollar(
  order: { readonly price: number; readonly reference: number | undefined },
  options: PriceCollarOptions,
): CheckResult {
  const checked = checkPriceCollar('priceCollar', options);
  return evaluated(() => judgeCollar(order.price, order.reference, checked));
}
