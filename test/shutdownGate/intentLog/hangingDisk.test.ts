/** A disk that hangs, and writers that were killed: neither holds up an order, its answer, nor piles up. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createShutdownGate } from '../../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../../src/shutdownGate/guard.js';
import { IntentLog } from '../../../src/shutdownGate/intentLog/intentLog.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { inPlace } from './support.js';

const at = inPlace();
const NEW = { clientOrderId: 'a', symbol: '', label: '', intent: 'increase' } as const;

/** Advances until `work` has ended. */
async function ended<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = work.finally(() => (isOver = true));
  watched.catch(() => undefined);
  await expect.poll(async () => (await clock.advance(500), isOver)).toBe(true);
  return watched;
}

describe('a disk that hangs', () => {
  let release: (() => void) | undefined;
  afterEach(() => {
    release?.();
    release = undefined;
  });

  it('S2: after the send holds the answer of the venue from nobody, and holds no slot', async () => {
    const clock = new ManualClock();
    const gate = createShutdownGate({ clock });
    const errors: object[] = [];
    const ignore = () => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: (details: object) => errors.push(details) };
    const send = async (id: string): Promise<string> => {
      const [name = ''] = readdirSync(at.directory);
      const file = join(at.directory, name);
      rmSync(file);
      // Whoever opens it to write waits until somebody reads.
      execFileSync('mkfifo', [file]);
      release = () => closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
      return `${id} filled`;
    };
    const submit = guardOrderSubmission(send, { gate, intentLog: { directory: at.directory, clientOrderId: (id) => id, logger } });
    expect(await ended(clock, submit('a'))).toBe('a filled');
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
    expect(errors).toEqual([{ clientOrderId: 'a', outcome: 'acknowledged', why: 'the disk has not answered within 2000 ms' }]);
  });

  it('S2, S3: before the send has the order refused, and on record as never sent once it answers', async () => {
    const clock = new ManualClock();
    let answer = (): void => {};
    const hanging = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const log = new IntentLog(at.directory, { clock }, () => hanging);
    const begun = await ended(clock, log.begin(NEW));
    expect(begun).toEqual({ kind: 'failed', detail: 'the disk has not answered within 2000 ms' });
    answer();
    const other = new IntentLog(at.directory, { clock });
    await expect.poll(() => readdirSync(at.directory).filter((name) => name.endsWith('.intent')).length).toBe(1);
    await expect.poll(async () => (await other.read()).unresolved).toEqual([]);
  });

  it('S3: a clock that sets no timer keeps no intent, rather than wait for ever', async () => {
    const setTimer = (): never => {
      throw new Error('no timer');
    };
    const log = new IntentLog(at.directory, { clock: { ...new ManualClock(), setTimer } });
    expect(await log.begin(NEW)).toEqual({ kind: 'failed', detail: 'nobody can wait for the disk: no timer' });
  });
});

describe('a writer that was killed', () => {
  it('leaves its temporary file to whoever reconciles ten minutes later, and not before', async () => {
    mkdirSync(at.directory);
    const nowSeconds = Date.now() / 1_000;
    for (const [name, ageSeconds] of [
      ['old.new', 601],
      ['young.new', 590],
      ['old.txt', 601],
    ] as const) {
      writeFileSync(join(at.directory, name), 'x');
      utimesSync(join(at.directory, name), nowSeconds - ageSeconds, nowSeconds - ageSeconds);
    }
    mkdirSync(join(at.directory, 'stuck.new'));
    utimesSync(join(at.directory, 'stuck.new'), 0, 0);
    expect(await new IntentLog(at.directory).read()).toEqual({ unresolved: [], corrupt: [] });
    expect(readdirSync(at.directory).toSorted()).toEqual(['old.txt', 'stuck.new', 'young.new']);
  });
});
