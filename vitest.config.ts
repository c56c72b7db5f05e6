import { defineConfig } from 'vitest/config';
import { CHAOS, DRILL, FIXTURES, REDIS, STOP } from './test/projects.js';
import { PartTimes } from './test/support/partTimes.js';

// A machine that wants to count asks for the results as a file as well.
const resultsFile = process.env['TEST_RESULTS_FILE'];
const partTimes = new PartTimes();

/**
 * Tests of processes run two at a time: a third on two slow cores starves the processes of all three. One part comes after the other,
 * so that it can be told how long each took.
 */
const ofProcesses = (name: string, groupOrder: number, include: readonly string[], others: readonly string[]) => ({
  extends: true as const,
  test: { name, include: [...include], exclude: [FIXTURES, ...others], maxWorkers: 2, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // One process for many files: starting one for each took as long as the tests. What a test makes process-wide it takes back.
    isolate: false,
    reporters: resultsFile === undefined ? ['default', partTimes] : ['default', partTimes, ['json', { outputFile: resultsFile }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [FIXTURES, ...CHAOS, ...DRILL, ...STOP, ...REDIS],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      ofProcesses('drill', 1, DRILL, REDIS),
      ofProcesses('stop', 2, STOP, REDIS),
      ofProcesses('redis', 3, REDIS, []),
      ofProcesses('chaos', 4, CHAOS, []),
    ],
  },
});
