/** Quantiles of samples that were taken. */

/** The value below which a share of the sorted samples lies: the nearest rank, never an interpolation. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
