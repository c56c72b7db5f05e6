/** A claim that is being handed back allows nothing any more: its successor may begin before the hand-back is answered. */
import { expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { ClaimDesk } from '../../src/emergencyExit/claim.js';
import { ManualClock } from '../../src/testing/manualClock.js';

it('S4, S9: from the moment it hands its claim back a worker may not act, though the bus has not answered yet', async () => {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock }).handle();
  const attempt = await new ClaimDesk(bus, clock, 'a/1', 2_000).tryTake('default@1', 'p');
  if (attempt.kind !== 'taken') throw new Error('not taken');
  expect(attempt.claim.isValid()).toBe(true);
  const handingBack = attempt.claim.handBack();
  expect(attempt.claim.isValid()).toBe(false);
  await handingBack;
  expect((await new ClaimDesk(bus, clock, 'b/1', 2_000).tryTake('default@1', 'p')).kind).toBe('taken');
});
