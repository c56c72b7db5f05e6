/** Quantities as whole units of 1e-8, so that sums of fills are exact. */

const UNITS_PER_ONE = 100_000_000;

export function toUnits(quantity: number): number {
  return Math.round(quantity * UNITS_PER_ONE);
}

export function fromUnits(units: number): number {
  return units / UNITS_PER_ONE;
}
