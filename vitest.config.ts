import { defineConfig } from 'vitest/config';

// A machine that wants to count asks for the results as a file as well.
const resultsFile = process.env['TEST_RESULTS_FILE'];

// Tests whose subject is real processes. Two at a time: a third on two slow cores starves the processes of all three. They come after
// all others, because beside a machine full of other tests they would measure the machine.
const PROCESSES = [
  'test/drill/**/*.test.ts',
  'test/**/*.processes.test.ts',
  'test/rig/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/examples/**/*.test.ts',
  'test/process/{intentKills,sharedGate.threads}.test.ts',
  'test/incidents/trap{10,11,15,16,27,28,29,32,33,40,41,42,43,44,46,47,48,51}[-.]*.test.ts',
];
// Of those the ones that stand on real Redis servers, so that either part can be run, and its time be told, apart.
const REDIS = [
  'test/bus/redis.*.test.ts',
  'test/rig/redis*.test.ts',
  'test/conformance/redis*.test.ts',
  'test/drill/*redis*.test.ts',
  'test/incidents/*failover*.test.ts',
  'test/incidents/trap32-*.test.ts',
];
const FIXTURES = 'test/fixtures/**';

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
          exclude: [FIXTURES, ...PROCESSES, ...REDIS],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'processes', include: PROCESSES, exclude: [FIXTURES, ...REDIS], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'redis', include: REDIS, exclude: [FIXTURES], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
