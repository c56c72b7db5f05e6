/** Every safeguard, taken away one at a time, is missed by the check meant for it and by no other. */
import { describe, expect, it } from 'vitest';
import { SABOTAGES } from '../../src/drill/sabotage/catalogue.js';
import { OLD_PANIC_SCALE, runDrill, SPEED_OF_THE_EXIT, shown } from './runDrill.js';

describe('the sabotages of the drill', () => {
  it.each(SABOTAGES.map((sabotage) => [sabotage.name, sabotage] as const))(
    '--sabotage %s is caught, on evidence',
    { timeout: 90_000 },
    async (name, sabotage) => {
      const run = await runDrill('--sabotage', name, ...(name === 'drop-old-panic' ? ['--scale', String(OLD_PANIC_SCALE)] : []));
      expect(run.code, shown(run)).toBe(1);
      expect(run.document.verdict).toBe('fail');
      expect(
        run.document.checks.find((check) => check.id === sabotage.red),
        shown(run),
      ).toMatchObject({ passed: false, related: false });
      const red = run.document.checks.filter((check) => !check.passed && !check.related).map((check) => check.id);
      expect([sabotage.red, ...sabotage.consequences, ...SPEED_OF_THE_EXIT], shown(run)).toEqual(expect.arrayContaining(red));
      // A check that lacks its evidence says so, and is never counted as passed.
      expect(run.document.checks.some((check) => check.passed)).toBe(true);
    },
  );
});
