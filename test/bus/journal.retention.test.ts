/** Heartbeats are kept by time and then deleted, under readers at any point; nothing else is ever deleted. */
import fs, { readdirSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, type Cursor, FROM_START } from '../../src/bus/bus.js';
import { assembleJournal, intactJournalParts } from '../../src/bus/journal/openJournal.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { TestChild } from '../support/childProcess.js';
import { fcSeed } from '../support/seed.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';

const BEATS = 'exit_brain:heartbeat';
const AUDIT = 'system:audit';
const RETENTION_S = 60;
// A file takes beats for 20 s, and is looked at again when the next one is full.
const GONE_AFTER_S = RETENTION_S + 2 * 20 + 1;
const WRITER = new URL('../fixtures/bus/writer.mjs', import.meta.url);

interface Sleeper {
  readonly bus: Bus;
  cursor: Cursor;
  readonly seen: number[];
}

/** Reads what is new. Whatever was deleted in between, no record is damaged, none comes twice, and the order holds. */
async function catchUp(reader: Sleeper): Promise<void> {
  for (;;) {
    const result = await reader.bus.read(BEATS, reader.cursor, { limit: 7 });
    expect(result.corrupt).toEqual([]);
    reader.seen.push(...result.records.map(({ fields }) => Number(fields['second'])));
    reader.cursor = result.cursor;
    if (!result.more) return;
  }
}

/** Tells `told` of the path of each such system call, right before it is made, for as long as `during` takes. */
async function beforeEachCall(name: 'openSync' | 'statSync', told: (path: string) => void, during: () => Promise<void>): Promise<void> {
  const intact = fs[name];
  const call = (...args: readonly unknown[]): unknown => {
    told(String(args[0]));
    return Reflect.apply(intact, fs, args);
  };
  Object.assign(fs, { [name]: call });
  syncBuiltinESMExports();
  try {
    await during();
  } finally {
    Object.assign(fs, { [name]: intact });
    syncBuiltinESMExports();
  }
}

describe('heartbeats in a journal', () => {
  let directory: string;
  let clock: ManualClock;
  let open: Bus[];
  let second: number;

  const handle = async (leftoverAgeMs = intactJournalParts.leftoverAgeMs) => {
    const bus = await assembleJournal(directory, { clock }, { ...intactJournalParts, leftoverAgeMs });
    open.push(bus);
    return bus;
  };
  const beat = async (bus: Bus, seconds: number) => {
    for (let index = 0; index < seconds; index += 1) {
      second += 1;
      expect(await bus.append(BEATS, { second: String(second) }, { key: 'brain' })).toMatchObject({ outcome: 'committed' });
      await clock.advance(1_000);
    }
  };
  const files = (stream: string) => readdirSync(join(directory, 'streams', stream));
  const readable = async (bus: Bus) => {
    const reader: Sleeper = { bus, cursor: FROM_START, seen: [] };
    await catchUp(reader);
    return reader.seen;
  };

  beforeEach(() => {
    directory = fastTemporaryDirectory();
    clock = new ManualClock();
    open = [];
    second = 0;
  });
  afterEach(async () => {
    for (const bus of open) await bus.close();
    rmSync(directory, { recursive: true });
  });

  it('S8: can all be read for 60 s, and take up no more room than that for ever', async () => {
    const [bus, other] = [await handle(), await handle()];
    let oldest = 1;
    for (let round = 0; round < 30; round += 1) {
      await beat(bus, 10);
      for (const reader of [bus, other]) {
        const seconds = await readable(reader);
        oldest = seconds[0] ?? 0;
        expect(seconds).toEqual(Array.from({ length: second - oldest + 1 }, (_, index) => oldest + index));
        expect(oldest).toBeLessThanOrEqual(Math.max(1, second - RETENTION_S + 1));
        expect(oldest).toBeGreaterThanOrEqual(second - GONE_AFTER_S);
      }
      expect(files(BEATS).length).toBeLessThanOrEqual(GONE_AFTER_S / 20 + 1);
    }
    expect(oldest, 'nothing was ever deleted').toBeGreaterThan(1);
  });

  it('S8: reach a reader in order and once, whenever it reads; one that slept past the retention goes on with what is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(1, 3, 19, 20, 21, 40, 59, 150), { minLength: 3, maxLength: 6 }), async (sleeps) => {
        const bus = await handle();
        const reader: Sleeper = { bus: await handle(), cursor: await bus.end(BEATS), seen: [] };
        for (const seconds of sleeps) {
          const [fromSecond, before] = [second, reader.seen.length];
          await beat(bus, seconds);
          await clock.advance(3_000);
          await catchUp(reader);
          const got = reader.seen.slice(before);
          const first = seconds > RETENTION_S ? (got[0] ?? 0) : fromSecond + 1;
          expect(got).toEqual(Array.from({ length: second - first + 1 }, (_, index) => first + index));
          expect(first).toBeLessThanOrEqual(Math.max(fromSecond + 1, second - RETENTION_S + 1));
        }
        expect(Object.keys(reader.cursor).length).toBeLessThanOrEqual(files(BEATS).length);
      }),
      { seed: fcSeed, numRuns: 12 },
    );
  });

  it('S11: the newest one under a name stays known to who read it, long after its file is gone', async () => {
    const [silent, busy, reader] = [await handle(), await handle(1_000), await handle()];
    await silent.append(BEATS, { second: 'last words' }, { key: 'silent' });
    expect((await reader.latest(BEATS, 'silent'))?.fields['second']).toBe('last words');
    const [itsFile] = files(BEATS);
    await beat(busy, 100);
    expect(files(BEATS)).not.toContain(itsFile);
    expect(await (await handle()).latest(BEATS, 'silent')).toBeUndefined();
    expect((await reader.latest(BEATS, 'silent'))?.fields['second']).toBe('last words');
  });

  it('may be deleted between the look and the read: the reader gets what is left', async () => {
    const [old, fresh, reader] = [await handle(), await handle(), await handle()];
    await old.append(BEATS, { second: '1' });
    const [doomed = ''] = files(BEATS);
    await fresh.append(BEATS, { second: '2' });
    const deleteIt = (path: string) => {
      if (path.endsWith(doomed)) rmSync(path, { force: true });
    };
    await beforeEachCall('openSync', deleteIt, async () => expect(await readable(reader)).toEqual([2]));
    expect(files(BEATS)).not.toContain(doomed);
  });

  it('of others are removed only after they stood still for long before our eyes', async () => {
    const [gone, slow, busy] = [await handle(), await handle(), await handle(100_000)];
    await gone.append(BEATS, { second: '-1' });
    await gone.close();
    for (let round = 0; round < 9; round += 1) {
      await beat(busy, 21);
      expect(await slow.append(BEATS, { second: '-2' })).toMatchObject({ outcome: 'committed' });
    }
    const left = await readable(busy);
    expect(left).not.toContain(-1);
    expect(left.filter((seconds) => seconds === -2).length).toBeGreaterThanOrEqual(3);
  });

  it('S12: records of every other stream stay, however old they are', async () => {
    const bus = await handle(0);
    for (let round = 0; round < 20; round += 1) {
      await bus.append(AUDIT, { round: String(round) });
      await beat(bus, 21);
      await clock.advance(600_000);
    }
    const { records } = await bus.read(AUDIT, FROM_START);
    expect(records.map(({ fields }) => Number(fields['round']))).toEqual(Array.from({ length: 20 }, (_, round) => round));
  });

  it('of writers that closed or died cost a reader nothing more', async () => {
    const [reader, growing] = [await handle(), await handle()];
    await growing.append(BEATS, { second: '1' });
    for (let index = 0; index < 3; index += 1) {
      const closed = await handle();
      await closed.append(BEATS, { second: '2' });
      await closed.close();
    }
    const killed = TestChild.node(WRITER, directory, BEATS, 'killed');
    await killed.line('killed.3');
    await killed.kill();
    const finished = files(BEATS).length - 1;
    expect(finished).toBeGreaterThanOrEqual(4);
    let cursor = FROM_START;
    const looksOf = async () => {
      const looks: string[] = [];
      const look = async () => {
        ({ cursor } = await reader.read(BEATS, cursor));
      };
      await beforeEachCall('statSync', (path) => looks.push(path), look);
      return looks.filter((path) => path.endsWith('.log')).length;
    };
    expect(await looksOf()).toBeGreaterThan(finished);
    // An end is looked for when a file has been quiet for 2 s.
    for (let waits = 0; waits < 3; waits += 1) {
      await clock.advance(2_100);
      await looksOf();
    }
    expect(await looksOf()).toBe(1);
  });
});
