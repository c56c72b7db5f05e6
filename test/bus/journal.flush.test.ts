/** What an append says when the disk does not take what was written: never "committed", and never again through the same file. */
import { fdatasync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import type { FlushFile } from '../../src/bus/journal/files.js';
import { assembleJournal, intactJournalParts, openJournal } from '../../src/bus/journal/openJournal.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const STREAM = 'system:panic_close';

describe('S6: a journal whose disk fails', () => {
  let directory: string;
  let clock: ManualClock;
  let bus: Bus;
  let flushFile: FlushFile;

  const values = async (from: Bus = bus) => (await from.read(STREAM, FROM_START)).records.map(({ fields }) => fields['v']);
  const files = () => readdirSync(join(directory, 'streams', STREAM));
  const failOnce = () => {
    flushFile = (_fd, done) => {
      flushFile = fdatasync;
      setImmediate(done, Object.assign(new Error('i/o error'), { code: 'EIO' }));
    };
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    clock = new ManualClock();
    flushFile = fdatasync;
    bus = await assembleJournal(directory, { clock }, { ...intactJournalParts, flushFile: (fd, done) => flushFile(fd, done) });
  });
  afterEach(async () => {
    await bus.close();
    rmSync(directory, { recursive: true });
  });

  it('calls a record unknown when its flush fails, and goes on in a new file', async () => {
    expect(await bus.append(STREAM, { v: '1' })).toMatchObject({ outcome: 'committed' });
    failOnce();
    expect(await bus.append(STREAM, { v: '2' })).toMatchObject({ outcome: 'unknown', detail: 'i/o error' });
    expect(files()).toHaveLength(1);
    expect(await bus.append(STREAM, { v: '3' })).toMatchObject({ outcome: 'committed' });
    expect(files()).toHaveLength(2);
    expect(await values()).toEqual(['1', '2', '3']);
  });

  it('calls unknown as well what waited beside it for a flush of the same file', async () => {
    // The system tells of a failure once: the second flush comes back without one.
    const waiting: Parameters<FlushFile>[1][] = [];
    flushFile = (_fd, done) => void waiting.push(done);
    const [first, second] = [bus.append(STREAM, { v: '1' }), bus.append(STREAM, { v: '2' })];
    expect(waiting).toHaveLength(1);
    waiting[0]?.(new Error('i/o error'));
    await eventually(() => waiting.length === 2);
    waiting[1]?.(null);
    expect(await first).toMatchObject({ outcome: 'unknown', detail: 'i/o error' });
    expect(await second).toMatchObject({ outcome: 'unknown' });
    flushFile = fdatasync;
    expect(await bus.append(STREAM, { v: '3' })).toMatchObject({ outcome: 'committed' });
    expect(files()).toHaveLength(2);
  });

  it('S6: appends that come while a flush is under way share the next, and none of them is committed before it', async () => {
    const waiting: Parameters<FlushFile>[1][] = [];
    flushFile = (_fd, done) => void waiting.push(done);
    const committed: string[] = [];
    const appends = ['1', '2', '3', '4'].map(async (v) => {
      expect(await bus.append(STREAM, { v })).toMatchObject({ outcome: 'committed' });
      committed.push(v);
    });
    waiting[0]?.(null);
    await eventually(() => waiting.length === 2 && committed.length === 1);
    expect(committed).toEqual(['1']);
    const late = bus.append(STREAM, { v: '5' });
    waiting[1]?.(null);
    await Promise.all(appends);
    await eventually(() => waiting.length === 3);
    expect(committed.toSorted()).toEqual(['1', '2', '3', '4']);
    waiting[2]?.(null);
    expect(await late).toMatchObject({ outcome: 'committed' });
    expect(waiting).toHaveLength(3);
  });

  it('waits for a disk that hangs no longer than the append allows, and bears its late answer', async () => {
    let answer: Parameters<FlushFile>[1] = () => undefined;
    flushFile = (_fd, done) => {
      answer = done;
    };
    const appending = bus.append(STREAM, { v: '1' }, { timeoutMs: 200 });
    let outcome: Awaited<typeof appending> | undefined;
    appending.then((settled) => {
      outcome = settled;
    }, expect.unreachable);
    await clock.advance(199);
    expect(outcome).toBeUndefined();
    await clock.advance(1);
    expect(outcome).toMatchObject({ outcome: 'unknown', detail: 'fsync did not end within 200 ms' });
    flushFile = fdatasync;
    expect(await bus.append(STREAM, { v: '2' })).toMatchObject({ outcome: 'committed' });
    answer(null);
    expect(await bus.append(STREAM, { v: '3' })).toMatchObject({ outcome: 'committed' });
    expect(await values()).toEqual(['1', '2', '3']);
    expect(files()).toHaveLength(2);
  });

  it('S9: refuses a record under an idempotency key whose flush fails, and takes it when it is sent again', async () => {
    failOnce();
    expect(await bus.append(STREAM, { v: '1' }, { idempotencyKey: 'k' })).toMatchObject({ outcome: 'refused', reason: 'unavailable' });
    expect(files()).toEqual([]);
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
    expect(await values()).toEqual([]);
    expect(await bus.append(STREAM, { v: '1' }, { idempotencyKey: 'k' })).toMatchObject({ outcome: 'committed' });
    expect(await values()).toEqual(['1']);
  });

  it('says that a latch was not surely set when its flush fails, and shows every reader the same value', async () => {
    const latch = bus.latch('state');
    await latch.compareAndSet(0, { v: '1' });
    failOnce();
    expect((await latch.compareAndSet(1, { v: '2' })).outcome).not.toBe('committed');
    const other = await openJournal(directory);
    const { version } = await latch.get();
    expect(await other.latch('state').get()).toMatchObject({ version });
    expect(await latch.compareAndSet(version, { v: '3' })).toMatchObject({ outcome: 'committed' });
    await eventually(async () => (await other.latch('state').get()).fields['v'] === '3');
    await other.close();
  });

  it('S6: does not call a message acknowledged when that may be forgotten', async () => {
    await bus.append(STREAM, { v: '1' });
    const delivery = await bus.group(STREAM, 'workers').next('a', { minIdleMs: 0 });
    failOnce();
    await expect(delivery?.ack()).rejects.toThrow(/not surely durable: i\/o error/);
  });
});
