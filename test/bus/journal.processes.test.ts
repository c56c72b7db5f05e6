/** The journal under real processes that are killed and stopped while they write. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, type Cursor, FROM_START } from '../../src/bus/bus.js';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { systemClock } from '../../src/clock.js';
import { seededRandom } from '../../src/random.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { fcSeed } from '../support/seed.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const WRITER = new URL('../fixtures/bus/writer.mjs', import.meta.url);
const STREAM = 'exit_brain:heartbeat';

async function valuesOf(bus: Bus, stream: string): Promise<string[]> {
  const values: string[] = [];
  let cursor: Cursor = FROM_START;
  for (;;) {
    const result = await bus.read(stream, cursor);
    expect(result.corrupt).toEqual([]);
    values.push(...result.records.map((record) => record.fields['v'] ?? ''));
    cursor = result.cursor;
    if (!result.more) return values;
  }
}

function acknowledged(child: TestChild): string[] {
  return child.lines.filter((line) => line !== 'ready');
}

describe('the journal under processes that die and stand still', () => {
  let directory: string;
  let bus: Bus;
  const children: TestChild[] = [];
  const start = async (stream: string, name: string) => {
    const child = TestChild.node(WRITER, directory, stream, name);
    children.push(child);
    await child.line('ready');
    return child;
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    bus = await openJournal(directory);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
    await bus.close();
    rmSync(directory, { recursive: true });
  });

  for (const stream of [STREAM, 'system:panic_close']) {
    it(`S6: loses nothing that was acknowledged when writers are killed at any point (${stream})`, { timeout: 40_000 }, async () => {
      const random = seededRandom(fcSeed);
      const survivor = await start(stream, 'survivor');
      let kills = 0;
      for (let round = 0; round < 4; round += 1) {
        const victims = await Promise.all([0, 1, 2].map((index) => start(stream, `victim-${round}-${index}`)));
        const before = survivor.lines.length;
        await Promise.all(
          victims.map(async (victim) => {
            await eventually(() => victim.lines.length > 3);
            await systemClock.sleep(random.next() * 60);
            victim.signal('SIGKILL');
            await victim.end();
            kills += 1;
          }),
        );
        await eventually(() => survivor.lines.length > before);
      }
      survivor.signal('SIGKILL');
      await survivor.end();
      expect(kills).toBe(12);
      const values = await valuesOf(bus, stream);
      const readable = new Set(values);
      const acked = children.flatMap(acknowledged);
      expect(acked.length).toBeGreaterThan(100);
      expect(acked.filter((value) => !readable.has(value))).toEqual([]);
      expect(readable.size).toBe(values.length);
      for (const child of children) {
        const own = acknowledged(child);
        const wanted = new Set(own);
        expect(values.filter((value) => wanted.has(value))).toEqual(own);
      }
    });
  }

  it('a stopped writer blocks nobody: neither writers, readers, latches, groups nor probes', async () => {
    const frozen = [await start(STREAM, 'frozen'), await start('system:panic_close', 'frozen')];
    for (const child of frozen) {
      await eventually(() => child.lines.length > 5);
      child.signal('SIGSTOP');
    }
    for (let round = 0; round < 50; round += 1) {
      expect(await bus.append(STREAM, { v: String(round) }, { key: 'me' })).toMatchObject({ outcome: 'committed' });
      expect(await bus.append('system:panic_close', { v: String(round) }, { idempotencyKey: `${round}` })).toMatchObject({
        outcome: 'committed',
      });
      expect((await bus.latest(STREAM, 'me'))?.fields['v']).toBe(String(round));
      expect(await bus.latch('state').compareAndSet(round, { v: 'x' })).toMatchObject({ outcome: 'committed' });
      expect((await bus.probe()).ok).toBe(true);
      const delivery = await bus.group('system:panic_close', 'workers').next('me', { minIdleMs: 60_000, blockMs: 500 });
      expect(await delivery?.ack()).toBe(true);
    }
  });
});
