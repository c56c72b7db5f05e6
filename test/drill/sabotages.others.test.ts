/** Every safeguard of brain, watchdog and strategy, taken away one at a time, is missed by the check meant for it and by no other. */
import { describe, it } from 'vitest';
import { expectCaught } from './expectCaught.js';
import { OTHER_SABOTAGES } from './shares.js';

describe('the sabotages of the drill', () => {
  it.each(OTHER_SABOTAGES)('--sabotage %s is caught, on evidence', { timeout: 90_000 }, (_name, sabotage) => expectCaught(sabotage));
});
