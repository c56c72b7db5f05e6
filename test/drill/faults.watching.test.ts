/** Faults other than a death: the intact system survives each of them. */
import { describe, it } from 'vitest';
import { expectFlat } from './expectFlat.js';
import { runFault } from './runDrill.js';
import { WATCHING_FAULTS } from './shares.js';

describe('the drill', () => {
  it.each(WATCHING_FAULTS)('the intact system survives --fault %s', { timeout: 90_000 }, async (fault) => {
    expectFlat(await runFault(fault));
  });
});
