/** What a benchmark can be told. */
export interface BenchRequest {
  readonly failovers?: number;
}

/** The same, as it is written on a command line. */
export const BENCH_OPTIONS = {
  /** Watches one load for so long, where the benchmark can, instead of taking its usual figures. */
  minutes: { type: 'string' },
  /** Tries it in so few rounds: what comes out is shown, and not kept. */
  rounds: { type: 'string' },
  /** How many failovers of each kind are made on each topology. */
  failovers: { type: 'string' },
} as const;
