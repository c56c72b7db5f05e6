/** Faults other than a death: the intact system survives each of them. */
import { describe, it } from 'vitest';
import { FAULTS } from '../../src/drill/options.js';
import { expectFlat } from './expectFlat.js';
import { OLD_PANIC_SCALE, runDrill } from './runDrill.js';

describe('the drill', () => {
  it.each(FAULTS)('the intact system survives --fault %s', { timeout: 90_000 }, async (fault) => {
    expectFlat(await runDrill('--fault', fault, ...(fault === 'old-panic' ? ['--scale', String(OLD_PANIC_SCALE)] : [])));
  });
});
