/** The first signal asks, a later one enforces, a hasty repeat is the same one. */
import { afterEach, expect, it, vi } from 'vitest';
import { FORCE_AFTER_MS, untilSignal } from '../../src/process/untilSignal.js';
import { ManualClock } from '../../src/testing/manualClock.js';

afterEach(() => vi.restoreAllMocks());

it('a second signal ends the process only after a second', async () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const clock = new ManualClock();
  const watch = untilSignal(clock);
  expect(watch.signal.aborted).toBe(false);
  process.emit('SIGTERM', 'SIGTERM');
  expect(watch.signal.aborted).toBe(true);
  await clock.advance(FORCE_AFTER_MS - 1);
  process.emit('SIGINT', 'SIGINT');
  expect(kill).not.toHaveBeenCalled();
  await clock.advance(1);
  process.emit('SIGINT', 'SIGINT');
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGINT']]);
  expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual([0, 0]);
});

it('gives the signals back', () => {
  const before = process.listenerCount('SIGTERM');
  const watch = untilSignal(new ManualClock());
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  watch.release();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
