import { defineConfig } from 'vitest/config';
import { DRILL, FIXTURES, REDIS, STOP } from '../projects.js';

/**
 * The tests that judge mutants: those of the folders that are mutated, in one process each. Tests of real processes run what was built,
 * not what was mutated; the structure and the package are not about behaviour.
 */
export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    isolate: false,
    include: ['test/{shutdownGate,killSwitch,tradingLease,process,breakers,ledger,http,incidents}/**/*.test.ts'],
    exclude: [FIXTURES, ...DRILL, ...STOP, ...REDIS],
  },
});
