/** Sums of money without rounding, in whole numbers of the smallest decimal place. Nothing is loaded for it. */

/** Stands for `units` / 10^`places`. */
export interface Exact {
  readonly units: bigint;
  readonly places: number;
}

export const NOTHING: Exact = { units: 0n, places: 0 };

const PLAIN = /^(-?)(\d+)(?:\.(\d+))?$/;
const SCIENTIFIC = /^(-?\d+(?:\.\d+)?)e([+-]\d+)$/;
/** Longer than any that a ledger writes: figures of up to 1e18 with 30 places, multiplied three times over. */
const TEXT_LENGTH_MAX = 400;

/** Undefined where the text is no plain decimal number. */
export function exactOf(text: string): Exact | undefined {
  const match = text.length > TEXT_LENGTH_MAX ? null : PLAIN.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  return { units: BigInt(`${sign}${whole}${fraction}`), places: fraction.length };
}

/** A finite number by its shortest decimal text, as people write a limit: 0.1 is a tenth and not what is stored for it. */
export function exactOfNumber(value: number): Exact {
  const text = String(value);
  const [, digits = text, exponent = '0'] = SCIENTIFIC.exec(text) ?? [];
  const { units, places } = exactOf(digits) ?? NOTHING;
  const shifted = places - Number(exponent);
  return shifted >= 0 ? { units, places: shifted } : { units: units * 10n ** BigInt(-shifted), places: 0 };
}

const unitsAt = ({ units, places }: Exact, at: number): bigint => (places === at ? units : units * 10n ** BigInt(at - places));

export function plus(left: Exact, right: Exact): Exact {
  const places = Math.max(left.places, right.places);
  return { units: unitsAt(left, places) + unitsAt(right, places), places };
}

export function negated({ units, places }: Exact): Exact {
  return { units: -units, places };
}

/** Is `left` at least `right`? */
export function isAtLeast(left: Exact, right: Exact): boolean {
  const places = Math.max(left.places, right.places);
  return unitsAt(left, places) >= unitsAt(right, places);
}

/** Without trailing zeros. */
export function textOf({ units, places }: Exact): string {
  const digits = String(units < 0n ? -units : units).padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
