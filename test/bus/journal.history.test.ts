/** Asking where a long stream ends, or for the newest record of a writer, costs its process neither its turn nor a record. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { encodeRecord, encodeSeal } from '../../src/bus/journal/record.js';
import { systemClock } from '../../src/clock.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';

const STREAM = 'exit_brain:heartbeat';
const FOREIGN = 'a1b2c3d4-1-abcdefabcdef.0.log';

function record(sequence: number, padding = ''): Buffer {
  const encoded = encodeRecord({
    wallMs: 1_000 + sequence,
    monotonicMs: sequence,
    boot: 'another boot',
    sequence,
    key: `k${sequence % 3}`,
    fields: { v: String(sequence), padding },
  });
  if (encoded === undefined) throw new Error('too large');
  return encoded;
}

describe('a long stream in a journal', () => {
  let directory: string;
  let file: string;
  let bus: Bus;

  beforeEach(async () => {
    directory = fastTemporaryDirectory();
    bus = await openJournal(directory);
    mkdirSync(join(directory, 'streams', STREAM), { recursive: true });
    file = join(directory, 'streams', STREAM, FOREIGN);
  });

  afterEach(async () => {
    await bus.close();
    rmSync(directory, { recursive: true });
  });

  async function valuesFrom(cursor: Readonly<Record<string, number | string>>): Promise<{ values: string[]; corrupt: number }> {
    const values: string[] = [];
    let corrupt = 0;
    let at = cursor;
    for (let more = true; more; ) {
      const result = await bus.read(STREAM, at);
      for (const { fields } of result.records) values.push(fields['v'] ?? '');
      corrupt += result.corrupt.length;
      at = result.cursor;
      more = result.more;
    }
    return { values, corrupt };
  }

  it.each([0, 1, 20, 100, 60_000])(
    'ends behind every whole record, the last of them padded by %i bytes, and before what follows',
    async (length) => {
      writeFileSync(file, Buffer.concat([record(1), record(2), record(3, 'x'.repeat(length))]));
      await bus.append(STREAM, { v: 'own' });
      const end = await bus.end(STREAM);
      expect(await valuesFrom(end)).toEqual({ values: [], corrupt: 0 });
      appendFileSync(file, record(4));
      expect(await valuesFrom(end)).toEqual({ values: ['4'], corrupt: 0 });
    },
  );

  it('ends before a record that is still being written, at whatever byte', async () => {
    const whole = record(2);
    for (let cut = 0; cut < whole.length; cut += 7) {
      writeFileSync(file, Buffer.concat([record(1), whole.subarray(0, cut)]));
      const other = await openJournal(directory);
      const end = await other.end(STREAM);
      await other.close();
      writeFileSync(file, Buffer.concat([record(1), whole]));
      expect(await valuesFrom(end), `cut at ${cut}`).toEqual({ values: ['2'], corrupt: 0 });
    }
  });

  it('ends behind files that are sealed, empty or full of something else', async () => {
    writeFileSync(file, Buffer.concat([record(1), encodeSeal()]));
    writeFileSync(join(directory, 'streams', STREAM, 'b1b2c3d4-1-abcdefabcdef.0.log'), '');
    writeFileSync(join(directory, 'streams', STREAM, 'c1b2c3d4-1-abcdefabcdef.0.log'), `\n${'x'.repeat(200_000)}\n`);
    const end = await bus.end(STREAM);
    expect((await valuesFrom(end)).values).toEqual([]);
    await bus.append(STREAM, { v: 'next' });
    expect((await valuesFrom(end)).values).toEqual(['next']);
  });

  it('L1: lets everything else in its process run while the newest records are looked for, and finds them', async () => {
    const records: Buffer[] = [];
    for (let sequence = 0; sequence < 6_000; sequence += 1) records.push(record(sequence, 'x'.repeat(300)));
    writeFileSync(file, Buffer.concat(records));
    let turns = 0;
    const end = { reached: false };
    const others = (async () => {
      for (; !end.reached; turns += 1) await systemClock.sleep(0);
    })();
    const newest = await Promise.all(['k0', 'k1', 'k2', 'nobody'].map((key) => bus.latest(STREAM, key)));
    end.reached = true;
    expect(newest.map((found) => found?.fields['v'])).toEqual(['5997', '5998', '5999', undefined]);
    expect(turns).toBeGreaterThanOrEqual(3);
    await others;
    appendFileSync(file, record(6_000));
    expect((await bus.latest(STREAM, 'k0'))?.fields['v']).toBe('6000');
    expect((await valuesFrom(FROM_START)).values).toHaveLength(6_001);
  });
});
