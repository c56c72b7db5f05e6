/** The first signal asks, a later one enforces, a hasty repeat is the same one. */
import { expect, it } from 'vitest';
import { DEAD_WINDOW_MS, systemProcess } from '../../src/process/events.js';
import { untilSignal } from '../../src/process/untilSignal.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { RecordingProcess } from './support.js';

it('a second signal ends the process only after a second', async () => {
  const process = new RecordingProcess();
  const clock = new ManualClock();
  const watch = untilSignal(clock, process);
  expect(watch.signal.aborted).toBe(false);
  process.emit('SIGTERM');
  expect(watch.signal.aborted).toBe(true);
  await clock.advance(DEAD_WINDOW_MS - 1);
  process.emit('SIGINT');
  expect(process.ends).toEqual([]);
  await clock.advance(1);
  process.emit('SIGINT');
  expect(process.ends).toEqual(['SIGINT']);
  expect([process.listeners('SIGTERM'), process.listeners('SIGINT')]).toEqual([0, 0]);
});

it('gives the signals back', () => {
  const before = process.listenerCount('SIGTERM');
  const watch = untilSignal(new ManualClock(), systemProcess);
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  watch.release();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
