import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { CHAOS, DRILL, FIXTURES, REDIS, STOP } from '../projects.js';
import { judgesOf, mutatedFolder } from './folders.mjs';

const LOADS = 'test/mutation/loads.test.ts';

/**
 * The file that killed the last mutant first, as it often kills the next one too, then the quickest: with the first test that fails a
 * mutant is dead, and no other file is loaded. Last the one that only loads modules: it is asked where nothing else has failed.
 */
class DeadliestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const known = ({ project, moduleId }: TestSpecification) =>
      this.ctx.cache.getFileTestResults(`${project.name}:${relative(this.ctx.config.root, moduleId)}`);
    const rank = (file: TestSpecification) => {
      if (file.moduleId.endsWith(LOADS)) return Number.POSITIVE_INFINITY;
      const { failed = false, duration = 0 } = known(file) ?? {};
      return failed ? -1 : duration;
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * The tests that judge mutants: those that speak of the mutated folder, in one process. Tests of real processes run what was built,
 * not what was mutated; the structure and the package are not about behaviour.
 */
export default defineConfig({
  test: {
    // With many mutants something never settles: a test waits no longer for it than it must on a busy machine.
    testTimeout: 8_000,
    hookTimeout: 8_000,
    isolate: false,
    sequence: { sequencer: DeadliestFirst },
    setupFiles: ['test/mutation/loadFirst.ts'],
    include: judgesOf(mutatedFolder()),
    exclude: [FIXTURES, ...CHAOS, ...DRILL, ...STOP, ...REDIS],
  },
});
