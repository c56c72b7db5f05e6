import { defineConfig } from 'vitest/config';
import { CHAOS, DRILL, FIXTURES, REDIS, STOP } from '../projects.js';
import { judgesOf, mutatedFolder } from './folders.mjs';

/**
 * The tests that judge mutants: those that speak of the mutated folder, in one process. Tests of real processes run what was built,
 * not what was mutated; the structure and the package are not about behaviour.
 */
export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    isolate: false,
    include: judgesOf(mutatedFolder()),
    exclude: [FIXTURES, ...CHAOS, ...DRILL, ...STOP, ...REDIS],
  },
});
