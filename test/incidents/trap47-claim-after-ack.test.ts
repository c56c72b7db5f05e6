import { fdatasync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acknowledge, createClaim } from '../../src/bus/journal/claimFiles.js';
import type { JournalContext } from '../../src/bus/journal/context.js';
import { systemJournalFiles } from '../../src/bus/journal/files.js';
import { systemHost } from '../../src/bus/journal/names.js';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { Wakeups } from '../../src/bus/waiting.js';
import { systemClock } from '../../src/clock.js';
import { silentLogger } from '../../src/logger.js';
import { systemRandom } from '../../src/random.js';
import { TestChild } from '../support/childProcess.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const CONSUMER = new URL('../fixtures/bus/consumer.mjs', import.meta.url);

describe('trap 47: a claim that is won after the acknowledgement', () => {
  let directory: string;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('trap 47: a claim created after the acknowledgement is no claim, and leaves nothing behind', async () => {
    const context: JournalContext = {
      root: directory,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      generation: 'x',
      host: systemHost(),
      closing: new AbortController().signal,
      closed: new Wakeups(),
      leftoverAgeMs: 1,
      pollMs: 1,
      files: systemJournalFiles,
      flushFile: fdatasync,
    };
    const files = { context, directory };
    expect(createClaim(files, 'a@0', 1, 'first')).toBe('won');
    expect(createClaim(files, 'a@0', 1, 'second')).toBe('taken');
    expect(await acknowledge(files, 'a@0', 1)).toBe(true);
    expect(createClaim(files, 'a@0', 1, 'late')).toBe('acked');
    expect(createClaim(files, 'a@0', 2, 'late')).toBe('acked');
    expect(readdirSync(directory)).toEqual(['a@0.ack']);
  });

  it('trap 47: three processes share 600 messages and none is handled twice', { timeout: 40_000 }, async () => {
    const total = 600;
    const stream = 'exit_brain:heartbeat';
    const bus = await openJournal(directory);
    const children = ['a', 'b', 'c'].map((name) => TestChild.node(CONSUMER, directory, stream, name));
    for (const child of children) await child.line('ready');
    for (let index = 0; index < total; index += 1) await bus.append(stream, { v: String(index) });
    for (const child of children) expect(await child.end(), child.errors).toBe(0);
    const handled = children.flatMap((child) => child.lines.filter((line) => line !== 'ready').map(Number));
    expect(handled.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index));
    const left = readdirSync(join(directory, 'groups', stream, 'workers'));
    expect(left.filter((name) => !name.endsWith('.ack'))).toEqual([]);
    await bus.close();
  });
});
