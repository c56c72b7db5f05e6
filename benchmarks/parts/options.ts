/** What a benchmark can be told. */
export const BENCH_OPTIONS = {
  /** Watches one load for so long, where the benchmark can, instead of taking its usual figures. */
  minutes: { type: 'string' },
} as const;
