import { describe, expect, it } from 'vitest';
import type { BusRecord, ReadResult } from '../../src/bus/bus.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { Sightings } from '../../src/tradingState/sightings.js';
import { tail } from '../../src/tradingState/tail.js';

describe('tail', () => {
  it('L4: a record that is read after a stall of the reader counts from the contact before it', async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const seen: number[] = [];
    let answer: (result: ReadResult) => void = () => {};
    const bus = {
      end: async () => ({}),
      read: () =>
        new Promise<ReadResult>((resolve) => {
          answer = resolve;
        }),
    };
    const result = (records: BusRecord[]): ReadResult => ({
      records,
      corrupt: [],
      cursor: {},
      contactMs: clock.monotonicMs(),
      more: false,
    });
    const onRecord = (_record: BusRecord, notBeforeMs: number) => seen.push(notBeforeMs);
    const running = tail(bus, 's', { clock, signal: stopping.signal, blockMs: 50, retryMs: 50, onRecord });
    await clock.advance(50);
    const contactMs = clock.monotonicMs();
    answer(result([]));
    await clock.advance(0);
    await clock.stall(3_000);
    answer(result([{ id: '1', stream: 's', key: 'k', fields: {}, appendedWallMs: 0, receivedMs: clock.monotonicMs() }]));
    await clock.advance(0);
    expect(seen).toEqual([contactMs]);
    stopping.abort();
    answer(result([]));
    await running;
  });
});

describe('sightings', () => {
  it('S11: one sight, a repeated one and a replayed old one are no sign of life; an advance is', () => {
    const sightings = new Sightings<number>();
    sightings.note('w', 'g1', 5, 5, 100);
    sightings.note('w', 'g1', 5, 5, 110);
    sightings.note('w', 'g1', 4, 4, 120);
    sightings.note('w', 'g2', 9, 9, 130);
    expect(sightings.alive(130, 500)).toEqual([]);
    sightings.note('w', 'g1', 6, 6, 140);
    expect(sightings.alive(640, 500).map(({ generation }) => generation)).toEqual(['g1']);
    expect(sightings.alive(641, 500)).toEqual([]);
  });
});
