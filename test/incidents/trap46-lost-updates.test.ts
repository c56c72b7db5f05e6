import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assembleJournal, intactJournalParts, openJournal } from '../../src/bus/journal/openJournal.js';
import { TestChild } from '../support/childProcess.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';

const INCREMENT = new URL('../fixtures/bus/increment.mjs', import.meta.url);
const FROZEN = new URL('../fixtures/bus/frozenLatchWriter.mjs', import.meta.url);

describe('trap 46: compare-and-set on files', () => {
  let directory: string;
  beforeEach(() => {
    directory = fastTemporaryDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('trap 46: four processes add 800 times to one latch and no acknowledged update is lost', { timeout: 60_000 }, async () => {
    const children = [0, 1, 2, 3].map(() => TestChild.node(INCREMENT, directory, 'counter', '200'));
    for (const child of children) expect(await child.end(), child.errors).toBe(0);
    const bus = await openJournal(directory);
    expect(await bus.latch('counter').get()).toMatchObject({ version: 800, fields: { count: '800' } });
    await bus.close();
  });

  // With an age of nothing everything but the newest two is removed at once, as ten minutes later it would be.
  for (const leftoverAgeMs of [intactJournalParts.leftoverAgeMs, 0]) {
    it(`trap 46: a writer that froze before it named its version has not set it when it wakes (others removed after ${leftoverAgeMs} ms)`, async () => {
      const bus = await assembleJournal(directory, {}, { ...intactJournalParts, leftoverAgeMs });
      const latch = bus.latch('state');
      await latch.compareAndSet(0, { count: '1' });
      const frozen = TestChild.node(FROZEN, directory, 'state');
      try {
        await frozen.line('stopping');
        for (let version = 1; version < 8; version += 1) {
          expect(await latch.compareAndSet(version, { count: String(version + 1) })).toEqual({
            outcome: 'committed',
            version: version + 1,
          });
        }
        frozen.signal('SIGCONT');
        expect(await frozen.end(), frozen.errors).toBe(0);
      } finally {
        await frozen.kill();
      }
      const answer: unknown = JSON.parse(frozen.lines.at(-1) ?? '');
      expect(answer).toMatchObject({ outcome: leftoverAgeMs === 0 ? 'unknown' : 'conflict' });
      expect(await latch.get()).toMatchObject({ version: 8, fields: { count: '8' } });
      expect(await latch.compareAndSet(8, { count: '9' })).toEqual({ outcome: 'committed', version: 9 });
      await bus.close();
    });
  }
});
