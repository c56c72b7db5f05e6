import { checkSafety, maxPosition, safetyMatchers } from 'failflat/testing';
import { expect, it } from 'vitest';
import { buyer } from './fixed.mjs';

expect.extend(safetyMatchers);

it('never holds more than ten shares, and stops when it must', async () => {
  const report = await checkSafety({ strategy: buyer, promises: [maxPosition(10), 'S1', 'S7', 'L4'], seeds: 20 });
  expect(report).toHoldItsPromises();
}, 60_000);
