/** Every safeguard of the exit worker, taken away one at a time, is missed by the check meant for it and by no other. */
import { describe, it } from 'vitest';
import { SABOTAGES } from '../../src/drill/sabotage/catalogue.js';
import { expectCaught } from './expectCaught.js';

const MEANT = SABOTAGES.filter(({ role }) => role === 'exit-worker');

describe('the sabotages of the drill', () => {
  it.each(MEANT.map((sabotage) => [sabotage.name, sabotage] as const))(
    '--sabotage %s is caught, on evidence',
    { timeout: 90_000 },
    (_name, sabotage) => expectCaught(sabotage),
  );
});
