import { expect, it } from 'vitest';
import type { Cursor, ReadOptions, ReadResult } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { HolderTail } from '../../src/emergencyExit/holderTail.js';
import { isolatedLogger } from '../../src/logger.js';
import { encodeHolderReport, LEASE_HOLDER } from '../../src/messages/holder.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { settled } from '../shutdownGate/support.js';

const REPORT = {
  holderId: 'h1',
  account: 'a',
  event: 'registered',
  host: 'x',
  bootId: 'b',
  pid: 7,
  epoch: 1,
  brokerTimeoutMs: 5_000,
  leaseTtlMs: 750,
  inflight: 0,
  unknownOutcomes: 0,
  wallMs: 0,
} as const;

/** A bus whose first read finds nothing until it is cut short, as one over a line does whose answer is still on the way. */
function slowBus(clock: ManualClock) {
  const bus = createMemoryBus({ clock }).handle();
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let reads = 0;
  const read = async (stream: string, cursor: Cursor, options: ReadOptions = {}): Promise<ReadResult> => {
    reads += 1;
    if (reads > 1) {
      await held;
      return bus.read(stream, cursor, options);
    }
    await new Promise<void>((resolve) => options.signal?.addEventListener('abort', () => resolve(), { once: true }));
    return { records: [], corrupt: [], cursor, contactMs: clock.monotonicMs(), more: false };
  };
  return { bus, slow: new Proxy(bus, { get: (target, name) => (name === 'read' ? read : (Reflect.get(target, name) as unknown)) }), letGo };
}

it('S5: a read that was cut short has not shown that nobody else holds a lease', async () => {
  const clock = new ManualClock();
  const { bus, slow, letGo } = slowBus(clock);
  const tail = new HolderTail(slow, clock, isolatedLogger(undefined), 'a');
  const stopping = new AbortController();
  const running = tail.run(stopping.signal);
  await settled();
  await bus.append(LEASE_HOLDER, encodeHolderReport(REPORT), { key: 'h1' });
  await clock.advance(10);
  const writtenMs = clock.monotonicMs();
  tail.refresh();
  await settled();
  // The first read ended empty, and the second has not been answered.
  expect(tail.currentMs).toBe(-Infinity);
  letGo();
  await settled();
  expect(tail.currentMs).toBeGreaterThanOrEqual(writtenMs);
  expect(tail.roll.reports().length).toBe(1);
  stopping.abort();
  await running;
  await bus.close();
});
