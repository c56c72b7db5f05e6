import { defineConfig } from 'vitest/config';
import { DRILL, FIXTURES, REDIS, STOP } from './test/projects.js';

// A machine that wants to count asks for the results as a file as well.
const resultsFile = process.env['TEST_RESULTS_FILE'];

/** Tests of processes run two at a time: a third on two slow cores starves the processes of all three. */
const ofProcesses = (name: string, include: readonly string[], others: readonly string[]) => ({
  extends: true as const,
  test: { name, include: [...include], exclude: [FIXTURES, ...others], maxWorkers: 2, sequence: { groupOrder: 1 } },
});

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // One process for many files: starting one for each took as long as the tests. What a test makes process-wide it takes back.
    isolate: false,
    reporters: resultsFile === undefined ? ['default'] : ['default', ['json', { outputFile: resultsFile }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [FIXTURES, ...DRILL, ...STOP, ...REDIS],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      ofProcesses('drill', DRILL, REDIS),
      ofProcesses('stop', STOP, REDIS),
      ofProcesses('redis', REDIS, []),
    ],
  },
});
