/** Safeguards of the exit worker, taken away one at a time, are missed by the check meant for each and by no other. */
import { describe, it } from 'vitest';
import { expectCaught } from './expectCaught.js';
import { WORKER_SABOTAGES_BY_KILL } from './shares.js';

describe('the sabotages of the drill', () => {
  it.each(WORKER_SABOTAGES_BY_KILL)('--sabotage %s is caught, on evidence', { timeout: 90_000 }, (_name, sabotage) =>
    expectCaught(sabotage),
  );
});
