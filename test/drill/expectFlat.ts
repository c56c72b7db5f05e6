/** What every drill of the intact system ends in. */
import { expect } from 'vitest';
import { type DrillRun, SPEED_OF_THE_EXIT, shown } from './runDrill.js';

export function expectFlat(run: DrillRun): void {
  expect(run.document.checks, `no verdict: ${shown(run)}`).toBeDefined();
  const red = run.document.checks.filter((check) => !check.passed && (check.related || !SPEED_OF_THE_EXIT.includes(check.id)));
  expect(red, shown(run)).toEqual([]);
  expect([0, 1]).toContain(run.code);
  expect(run.document).toMatchObject({
    positionsAfter: 0,
    openOrdersAfter: 0,
    tradingState: 'HALTED',
    ordersAfterHalt: 0,
    exposureIncreasedByExit: 0,
    closedTwice: 0,
    panics: 1,
    incidents: 1,
  });
}
