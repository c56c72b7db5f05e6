/** The two short ways in: one function with faults in its calls, and an engine for the length of a block. */
import type { ChaosConfig } from './config.js';
import { ChaosEngine } from './engine.js';
import type { TargetOptions } from './target.js';

/**
 * The same function with faults in its calls while the configuration is armed: its name, parameters and result. With an engine in the
 * place of a configuration the faults are counted and watched there. Throws a ConfigurationError for a field that cannot hold.
 */
export function chaos<A extends readonly unknown[], R>(
  fn: (...args: A) => Promise<R>,
  config: ChaosConfig | ChaosEngine,
  options: TargetOptions<A, R> = {},
): (...args: A) => Promise<R> {
  const engine = config instanceof ChaosEngine ? config : new ChaosEngine(config);
  return engine.wrap(fn, options);
}

/** An engine for `await using`: at the end of the block nothing is injected any more, and every patched method is what it was. */
export function chaosContext(config: ChaosConfig): ChaosEngine {
  return new ChaosEngine(config);
}
