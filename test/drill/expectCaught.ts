/** What every sabotage must end in: red at the check meant for it, on evidence, and nowhere else. */
import { expect } from 'vitest';
import type { Sabotage } from '../../src/drill/sabotage/catalogue.js';
import { OLD_PANIC_SCALE, runDrill, SPEED_OF_THE_EXIT, shown } from './runDrill.js';

export async function expectCaught({ name, red, consequences }: Sabotage): Promise<void> {
  const run = await runDrill('--sabotage', name, ...(name === 'drop-old-panic' ? ['--scale', String(OLD_PANIC_SCALE)] : []));
  expect(run.code, shown(run)).toBe(1);
  expect(run.document.verdict).toBe('fail');
  const meant = run.document.checks.find((check) => check.id === red);
  expect(meant, shown(run)).toMatchObject({ passed: false, related: false });
  const found = run.document.checks.filter((check) => !check.passed && !check.related).map((check) => check.id);
  expect([red, ...consequences, ...SPEED_OF_THE_EXIT], shown(run)).toEqual(expect.arrayContaining(found));
  // A check that lacks its evidence says so, and is never counted as passed.
  expect(run.document.checks.some((check) => check.passed)).toBe(true);
}
