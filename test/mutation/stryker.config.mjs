/**
 * Mutation testing of one folder, named by MUTATED_FOLDER. Every mutant counts, those that no test reaches too. A mutant that cannot
 * change behaviour is disabled where it stands, with its reason.
 */
import { mutatedFolder, SCORE_MIN } from './folders.mjs';

const folder = mutatedFolder();

export default {
  mutate: [`src/${folder}/**/*.ts`],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 2),
  // A mutant that never ends is caught; one on a busy machine is not taken for it.
  timeoutMS: 30_000,
  ignorePatterns: ['var', 'dist', 'benchmarks/results'],
  tempDirName: '.stryker-tmp',
  cleanTempDir: 'always',
  incremental: true,
  incrementalFile: `var/mutation/${folder}.incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false, reportMutants: false },
  jsonReporter: { fileName: `var/mutation/${folder}.json` },
  thresholds: { high: 95, low: SCORE_MIN, break: null },
};
