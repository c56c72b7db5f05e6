import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAudit } from '../../src/audit/audit.js';
import { readAudit } from '../../src/audit/readAudit.js';
import { verifyAudit } from '../../src/audit/verify.js';
import type { AppendOutcome, Fields } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import type { AuditEntry } from '../../src/messages/audit.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';

async function recorded(lives: readonly (readonly [actor: string, count: number])[]): Promise<AuditEntry[]> {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock }).handle();
  for (const [index, [actor, count]] of lives.entries()) {
    const audit = createAudit({ bus, actor, clock, random: seededRandom(index) });
    for (let entry = 0; entry < count; entry += 1) {
      clock.stepWall(-7);
      await audit.record({ event: 'test.event', cause: `cause ${entry}`, incident: 'default@1', details: { b: entry, a: [1.5, null] } });
    }
  }
  const { entries, unreadable } = await readAudit(bus);
  expect(unreadable).toEqual([]);
  return [...entries];
}

describe('audit', () => {
  it('S12: an untouched record of several lives verifies, interleaved as it may be', async () => {
    const entries = await recorded([
      ['watchdog:a', 4],
      ['watchdog:a', 3],
      ['worker:b', 5],
    ]);
    expect(verifyAudit(entries)).toEqual({ intact: true, entries: 12, repeated: 0, lives: 3, problems: [] });
    const interleaved = [...entries.slice(7), ...entries.slice(0, 7)];
    expect(verifyAudit(interleaved).intact).toBe(true);
  });

  it.each<[string, () => number]>([
    ['reads no number', () => Number.NaN],
    [
      'throws',
      () => {
        throw new Error('no clock');
      },
    ],
  ])('S12, S13: what happens while the clock %s is on record, at no time, and fails nobody', async (_what, reading) => {
    const bus = createMemoryBus({ clock: new ManualClock() }).handle();
    const clock = new ManualClock();
    let broken = true;
    const brittle = {
      setTimer: clock.setTimer.bind(clock),
      sleep: clock.sleep.bind(clock),
      monotonicMs: () => (broken ? reading() : clock.monotonicMs()),
      wallMs: () => (broken ? reading() : clock.wallMs()),
    };
    const audit = createAudit({ bus, actor: 'lease:a', clock: brittle, random: seededRandom(1) });
    expect(await audit.record({ event: 'lease.held', cause: 'renewed' })).toMatchObject({ outcome: 'committed' });
    broken = false;
    await audit.record({ event: 'lease.closed', cause: 'done' });
    const { entries } = await readAudit(bus);
    expect(entries.map(({ event, wallMs }) => [event, wallMs === 0])).toEqual([
      ['lease.held', true],
      ['lease.closed', false],
    ]);
    expect(verifyAudit([...entries]).intact).toBe(true);
  });

  it('S12: any entry that is removed, changed or moved shows (a cut end excepted)', async () => {
    const entries = await recorded([
      ['watchdog:a', 6],
      ['worker:b', 4],
    ]);
    const lastOfLife = new Set([5, 9]);
    fc.assert(
      fc.property(fc.nat(9), fc.constantFrom('remove', 'cause', 'details', 'sequence', 'rehash', 'relink', 'swap'), (index, tampering) => {
        const changed = [...entries];
        const entry = entries[index];
        if (entry === undefined) return;
        if (tampering === 'remove') changed.splice(index, 1);
        else if (tampering === 'cause') changed[index] = { ...entry, cause: `${entry.cause}!` };
        else if (tampering === 'details') changed[index] = { ...entry, details: { ...entry.details, b: -1 } };
        else if (tampering === 'sequence') changed[index] = { ...entry, sequence: entry.sequence + 1 };
        else if (tampering === 'rehash') changed[index] = { ...entry, hash: entry.hash.replace(/^./, (c) => (c === '0' ? '1' : '0')) };
        else if (tampering === 'relink') changed[index] = { ...entry, previousHash: '0'.repeat(64) };
        else {
          const after = entries[index + 1];
          if (lastOfLife.has(index) || after === undefined) return;
          changed.splice(index, 2, after, entry);
        }
        if (tampering === 'remove' && lastOfLife.has(index)) return;
        expect(verifyAudit(changed).intact).toBe(false);
      }),
      { seed: fcSeed, numRuns: 300 },
    );
  });

  it('S12: an entry that was written again word for word says nothing new, and is counted; with other content it shows', async () => {
    const entries = await recorded([['watchdog:a', 6]]);
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), (index, behind) => {
        const entry = entries[index];
        if (entry === undefined) return;
        const at = Math.min(entries.length, index + 1 + behind);
        expect(verifyAudit(entries.toSpliced(at, 0, entry))).toEqual({ intact: true, entries: 7, repeated: 1, lives: 1, problems: [] });
        expect(verifyAudit(entries.toSpliced(at, 0, { ...entry, cause: 'another' })).intact).toBe(false);
      }),
      { seed: fcSeed, numRuns: 60 },
    );
  });

  it('S12: what a bus refuses or leaves unknown is written later, in order, and of unknown fate perhaps twice', async () => {
    const clock = new ManualClock();
    const real = createMemoryBus({ clock }).handle();
    const failures: (AppendOutcome | 'throw' | 'lost_answer')[] = [
      { outcome: 'unknown', detail: 'no answer' },
      'throw',
      'lost_answer',
      { outcome: 'refused', reason: 'no_space', detail: 'full' },
    ];
    const audit = createAudit({
      actor: 'watchdog:a',
      clock,
      bus: {
        append: async (stream, fields, options) => {
          const failure = failures.shift();
          if (failure === 'throw') throw new Error('broken');
          if (failure === 'lost_answer') await real.append(stream, fields, options);
          if (failure === 'lost_answer') return { outcome: 'unknown', detail: 'answer lost' };
          return failure ?? real.append(stream, fields, options);
        },
      },
    });
    const first = audit.record({ event: 'a.first', cause: 'one' });
    const second = audit.record({ event: 'a.second', cause: 'two' });
    await clock.advance(0);
    expect((await first).outcome).toBe('unknown');
    expect((await second).outcome).toBe('unknown');
    expect(audit.backlog()).toBe(2);
    await clock.advance(5_000);
    expect(audit.failures()).toBe(4);
    expect(audit.backlog()).toBe(0);
    const { entries } = await readAudit(real);
    expect(entries.map(({ event }) => event)).toEqual(['a.first', 'a.first', 'a.second']);
    expect(verifyAudit(entries)).toMatchObject({ intact: true, repeated: 1 });
  });

  it('S13: details that cannot be written, empty words and huge ones never throw, and still verify', async () => {
    const bus = createMemoryBus().handle();
    const audit = createAudit({ bus, actor: ' ' });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const details of [circular, { big: 'x'.repeat(100_000) }, { count: 1n }, { gone: undefined, at: Number.NaN }]) {
      expect((await audit.record({ event: '', cause: '', incident: '', details })).outcome).toBe('committed');
    }
    const { entries, unreadable } = await readAudit(bus);
    expect(entries).toHaveLength(4);
    expect(unreadable).toEqual([]);
    expect(verifyAudit(entries).intact).toBe(true);
  });

  it('S12: however many entries wait for the end of an outage, one retry at a time asks for it', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock }).handle();
    let appends = 0;
    let full = true;
    const append: typeof bus.append = async (...args) => {
      appends += 1;
      return full ? { outcome: 'refused', reason: 'no_space', detail: 'the disk is full' } : bus.append(...args);
    };
    const audit = createAudit({ bus: { append }, actor: 'worker:a', clock, retryMs: 250 });
    for (let entry = 0; entry < 100; entry += 1) {
      void audit.record({ event: 'test.event', cause: `cause ${entry}` });
      await clock.advance(1);
    }
    const before = appends;
    await clock.advance(10_000);
    expect(appends - before).toBe(40);
    full = false;
    await clock.advance(250);
    expect(audit.backlog()).toBe(0);
    expect(verifyAudit((await readAudit(bus)).entries)).toMatchObject({ intact: true, entries: 100 });
  });

  it('S12: a cause that had to be cut in the middle of a character verifies where a bus keeps bytes', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock }).handle();
    const asBytes = (fields: Fields): Fields =>
      Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value).toString()]));
    const audit = createAudit({ bus: { append: (stream, fields) => bus.append(stream, asBytes(fields)) }, actor: 'worker:a', clock });
    await audit.record({ event: 'test.event', cause: 'x\u{1f4a5}'.repeat(1_000), details: { half: '\ud83d' } });
    expect(verifyAudit((await readAudit(bus)).entries)).toMatchObject({ intact: true, entries: 1 });
  });

  it('S13: a clock that can set no timer ends nothing by way of a record: the next one tries again', async () => {
    const clock = new ManualClock();
    const outcomes: AppendOutcome[] = [{ outcome: 'refused', reason: 'unavailable', detail: 'down' }];
    const append = async (): Promise<AppendOutcome> => outcomes.shift() ?? { outcome: 'committed', id: '1' };
    const setTimer = (): never => {
      throw new Error('no timer');
    };
    const audit = createAudit({ bus: { append }, actor: 'a', clock: { ...clock, monotonicMs: () => 0, wallMs: () => 0, setTimer } });
    expect(await audit.record({ event: 'one', cause: 'x' })).toMatchObject({ outcome: 'refused' });
    expect(await audit.record({ event: 'two', cause: 'x' })).toMatchObject({ outcome: 'committed' });
    expect([audit.backlog(), audit.failures()]).toEqual([0, 1]);
  });
});
