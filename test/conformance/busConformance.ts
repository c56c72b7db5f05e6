/** The rules of the bus port as one suite: each adapter runs it with a factory of its own. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusDoubtError, BusUnavailableError, type Cursor, type Delivery, FROM_START } from '../../src/bus/bus.js';
import { MAX_BLOCK_MS } from '../../src/bus/policy.js';
import { systemClock } from '../../src/clock.js';
import { eventually } from '../support/eventually.js';
import { fcSeed } from '../support/seed.js';

export interface BusUnderTest {
  /** Another handle on the same bus, as another process would have one. */
  open(): Promise<Bus>;
  /** Damages one record in the middle of a stream. */
  corrupt(stream: string): Promise<void>;
  /** Makes the newest value of a latch unreadable. */
  spoilLatch(key: string): Promise<void>;
  /** Takes all contact away for good. A bus inside the process has no contact to lose. */
  cutContact?(): Promise<void>;
  dispose(): Promise<void>;
}

const STREAM = 'conformance:stream';
const OTHER = 'conformance:other';
const nowMs = () => systemClock.monotonicMs();

async function readAll(bus: Bus, stream: string, from: Cursor = FROM_START) {
  const values: string[] = [];
  const corrupt: string[] = [];
  let cursor = from;
  for (;;) {
    const result = await bus.read(stream, cursor);
    values.push(...result.records.map((record) => record.fields['v'] ?? ''));
    corrupt.push(...result.corrupt.map((one) => one.id));
    cursor = result.cursor;
    if (!result.more) return { values, corrupt, cursor };
  }
}

/** What is woken comes long before its wait is over. Once in three: a machine that stood still for a moment proves nothing. */
async function comesEarly(round: (attempt: string) => Promise<void>): Promise<void> {
  const tookMs: number[] = [];
  while (tookMs.length < 3) {
    const before = nowMs();
    await round(String(tookMs.length));
    tookMs.push(nowMs() - before);
    if (Math.min(...tookMs) < MAX_BLOCK_MS / 2) return;
  }
  throw new Error(`came only with the end of the wait: after ${tookMs.join(', ')} ms`);
}

async function take(bus: Bus, consumer: string, minIdleMs = 60_000, group = 'workers'): Promise<Delivery> {
  const delivery = await bus.group(STREAM, group).next(consumer, { minIdleMs, blockMs: 1_000 });
  if (delivery === undefined) throw new Error('nothing was delivered');
  return delivery;
}

export function busConformance(name: string, create: () => Promise<BusUnderTest>, { losesContact = true } = {}): void {
  describe(`${name} holds the rules of the bus port`, () => {
    let rig: BusUnderTest;
    let bus: Bus;
    let opened: Bus[];
    const open = async () => {
      const another = await rig.open();
      opened.push(another);
      return another;
    };
    const append = async (value: string, on: Bus = bus, stream = STREAM) => {
      const outcome = await on.append(stream, { v: value });
      expect(outcome).toMatchObject({ outcome: 'committed' });
    };

    beforeEach(async () => {
      opened = [];
      rig = await create();
      bus = await open();
    });
    afterEach(async () => {
      for (const one of opened) await one.close();
      await rig.dispose();
    });

    describe('append and read', () => {
      it('gives back what was appended, with key, stream and times', async () => {
        const before = nowMs();
        const outcome = await bus.append(STREAM, { v: 'é\n"\\ ', empty: '' }, { key: 'writer' });
        const { records, contactMs } = await (await open()).read(STREAM, FROM_START);
        expect(records).toHaveLength(1);
        expect(records[0]).toMatchObject({ stream: STREAM, key: 'writer', fields: { v: 'é\n"\\ ', empty: '' } });
        expect(outcome).toEqual({ outcome: 'committed', id: records[0]?.id });
        expect(records[0]?.receivedMs).toBeGreaterThanOrEqual(before);
        expect(contactMs).toBeGreaterThanOrEqual(before);
        expect(Math.abs((records[0]?.appendedWallMs ?? 0) - systemClock.wallMs())).toBeLessThan(60_000);
      });

      it('keeps streams apart', async () => {
        await append('one');
        await append('two', bus, OTHER);
        expect((await readAll(bus, OTHER)).values).toEqual(['two']);
        expect((await readAll(bus, 'conformance:never-written')).values).toEqual([]);
      });

      it('keeps the order of each writer, through limits and over any interleaving, and delivers each record once', async () => {
        const writers = [bus, await open(), await open()];
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.record({ writer: fc.nat(2), keyed: fc.boolean(), read: fc.boolean() }), { maxLength: 30 }),
            fc.integer({ min: 1, max: 4 }),
            async (steps, limit) => {
              const stream = `conformance:${systemClock.monotonicMs()}`;
              const seen: string[] = [];
              let cursor: Cursor = FROM_START;
              const readOn = async () => {
                const result = await bus.read(stream, cursor, { limit });
                expect(result.records.length).toBeLessThanOrEqual(limit);
                seen.push(...result.records.map((record) => record.fields['v'] ?? ''));
                cursor = result.cursor;
                return result.more;
              };
              for (const [index, step] of steps.entries()) {
                const options = step.keyed ? { idempotencyKey: `key-${index}` } : {};
                await writers[step.writer]?.append(stream, { v: `${step.writer}.${index}` }, options);
                if (step.read) await readOn();
              }
              while (await readOn());
              for (const writer of [0, 1, 2]) {
                const sent = steps.flatMap((step, index) => (step.writer === writer ? [`${writer}.${index}`] : []));
                expect(seen.filter((value) => value.startsWith(`${writer}.`))).toEqual(sent);
              }
              expect(seen).toHaveLength(steps.length);
            },
          ),
          { seed: fcSeed, numRuns: 25 },
        );
      });

      it('goes on from a cursor that was stored as JSON and used by another handle', async () => {
        await append('one');
        const { cursor } = await readAll(bus, STREAM);
        const stored = JSON.parse(JSON.stringify(cursor)) as Cursor;
        const another = await open();
        await append('two', another);
        expect((await readAll(another, STREAM, stored)).values).toEqual(['two']);
        expect((await readAll(await open(), STREAM, stored)).values).toEqual(['two']);
      });

      it('says `more` beyond the limit, and nothing twice', async () => {
        for (const value of ['1', '2', '3']) await append(value);
        const first = await bus.read(STREAM, FROM_START, { limit: 2 });
        expect(first.records.map((record) => record.fields['v'])).toEqual(['1', '2']);
        expect(first.more).toBe(true);
        const second = await bus.read(STREAM, first.cursor, { limit: 2 });
        expect(second.records.map((record) => record.fields['v'])).toEqual(['3']);
        expect(second.more).toBe(false);
      });

      it('answers at once without blockMs, after blockMs with fresh contact where nothing comes', async () => {
        const emptyAtOnce = await bus.read(STREAM, FROM_START);
        expect(emptyAtOnce.records).toEqual([]);
        const before = nowMs();
        const { records, contactMs } = await bus.read(STREAM, FROM_START, { blockMs: 120 });
        expect(records).toEqual([]);
        expect(nowMs() - before).toBeGreaterThanOrEqual(119);
        expect(contactMs).toBeGreaterThan(before + 20);
      });

      it('wakes a blocked reader', async () => {
        const reader = await open();
        await comesEarly(async (attempt) => {
          const cursor = await reader.end(STREAM);
          const reading = reader.read(STREAM, cursor, { blockMs: MAX_BLOCK_MS });
          await append(attempt);
          const { records } = await reading;
          expect(records.map((record) => record.fields['v'])).toEqual([attempt]);
        });
      });

      it('ends a blocked read, next and watch when the signal aborts', async () => {
        await comesEarly(async () => {
          const controller = new AbortController();
          const wait = { blockMs: MAX_BLOCK_MS, signal: controller.signal };
          const waiting = [
            bus.read(STREAM, FROM_START, wait),
            bus.group(STREAM, 'workers').next('a', { minIdleMs: 1_000, ...wait }),
            bus.latch('state').watch(0, wait),
          ];
          controller.abort();
          const [read, next, watched] = await Promise.all(waiting);
          expect(read).toMatchObject({ records: [] });
          expect(next).toBeUndefined();
          expect(watched).toMatchObject({ version: 0 });
        });
      });

      it('end() stands behind everything that can be read now', async () => {
        await append('old');
        const reader = await open();
        const cursor = await reader.end(STREAM);
        await append('new');
        expect((await readAll(reader, STREAM, cursor)).values).toEqual(['new']);
      });

      it('latest() is the newest record under a key, over writers', async () => {
        const another = await open();
        expect(await bus.latest(STREAM, 'a')).toBeUndefined();
        await bus.append(STREAM, { v: '1' }, { key: 'a' });
        await bus.append(STREAM, { v: '2' }, { key: 'b' });
        await another.append(STREAM, { v: '3' }, { key: 'a' });
        await bus.append(STREAM, { v: '4' });
        expect((await bus.latest(STREAM, 'a'))?.fields['v']).toBe('3');
        expect((await another.latest(STREAM, 'b'))?.fields['v']).toBe('2');
        await bus.append(STREAM, { v: '5' }, { key: 'a' });
        expect((await another.latest(STREAM, 'a'))?.fields['v']).toBe('5');
      });

      it('does not make an old record look fresh when latest() is asked again', async () => {
        await bus.append(STREAM, { v: '1' }, { key: 'a' });
        const first = await bus.latest(STREAM, 'a');
        await systemClock.sleep(5);
        expect((await bus.latest(STREAM, 'a'))?.receivedMs).toBe(first?.receivedMs);
      });

      it('refuses what is past its deadline, surely unwritten', async () => {
        expect(await bus.append(STREAM, { v: 'late' }, { notAfterMs: nowMs() - 1 })).toMatchObject({
          outcome: 'refused',
          reason: 'deadline_passed',
        });
        expect(await bus.append(STREAM, { v: 'late' }, { notAfterMs: nowMs() - 1, idempotencyKey: 'k' })).toMatchObject({
          outcome: 'refused',
          reason: 'deadline_passed',
        });
        expect(await bus.append(STREAM, { v: 'in time' }, { notAfterMs: nowMs() + 5_000, idempotencyKey: 'k' })).toMatchObject({
          outcome: 'committed',
        });
        expect((await readAll(bus, STREAM)).values).toEqual(['in time']);
      });

      it('refuses a record that is too large, surely unwritten', async () => {
        expect(await bus.append(STREAM, { v: 'x'.repeat(70_000) })).toMatchObject({ outcome: 'refused', reason: 'too_large' });
        await append('x'.repeat(40_000));
        expect((await readAll(bus, STREAM)).values).toHaveLength(1);
      });

      it('refuses a second append under the same key as a duplicate, from every handle, also at once', async () => {
        const handles = [bus, await open(), await open(), await open()];
        const outcomes = await Promise.all(handles.map((one, v) => one.append(STREAM, { v: String(v) }, { idempotencyKey: 'panic/1' })));
        expect(outcomes.filter((one) => one.outcome === 'committed')).toHaveLength(1);
        expect(outcomes.filter((one) => one.outcome === 'refused' && one.reason === 'duplicate')).toHaveLength(3);
        expect(await (await open()).append(STREAM, { v: 'again' }, { idempotencyKey: 'panic/1' })).toMatchObject({ reason: 'duplicate' });
        expect((await readAll(bus, STREAM)).values).toHaveLength(1);
        expect(await bus.append(OTHER, { v: 'elsewhere' }, { idempotencyKey: 'panic/1' })).toMatchObject({ outcome: 'committed' });
      });

      it('reports a corrupt record once and delivers the next', async () => {
        await append('before');
        await rig.corrupt(STREAM);
        await append('after', await open());
        const all = await eventually(async () => {
          const read = await readAll(bus, STREAM);
          return read.corrupt.length > 0 ? read : undefined;
        });
        expect(all.values).toEqual(['before', 'after']);
        expect(all.corrupt).toHaveLength(1);
        expect(await readAll(bus, STREAM, all.cursor)).toMatchObject({ values: [], corrupt: [] });
        expect(await take(bus, 'a')).toMatchObject({ record: { fields: { v: 'before' } } });
        expect(await take(bus, 'a')).toMatchObject({ record: { fields: { v: 'after' } } });
      });
    });

    describe('consumer groups', () => {
      it('trap 10: a group that is created after the record delivers it', async () => {
        await append('panic');
        const delivery = await take(await open(), 'a');
        expect(delivery).toMatchObject({ record: { fields: { v: 'panic' } }, deliveries: 1 });
      });

      it('never gives one message to two consumers, and delivers every message', async () => {
        const total = 40;
        const handles = [bus, await open(), await open()];
        for (let index = 0; index < total; index += 1) await append(String(index));
        const taken: string[] = [];
        await Promise.all(
          handles.map(async (one, index) => {
            for (;;) {
              const delivery = await one.group(STREAM, 'workers').next(`c${index}`, { minIdleMs: 60_000, blockMs: 50 });
              if (delivery === undefined) return;
              taken.push(delivery.record.fields['v'] ?? '');
              expect(await delivery.ack()).toBe(true);
            }
          }),
        );
        expect(taken.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index));
      });

      it('gives every group every record', async () => {
        await append('panic');
        await (await take(bus, 'a', 60_000, 'one')).ack();
        expect(await take(bus, 'a', 60_000, 'two')).toMatchObject({ record: { fields: { v: 'panic' } } });
      });

      it('an acknowledged message never comes again, also after all handles reopened; a second ack says false', async () => {
        await append('1');
        const delivery = await take(bus, 'a');
        expect(await delivery.ack()).toBe(true);
        expect(await delivery.ack()).toBe(false);
        const later = await open();
        expect(await later.group(STREAM, 'workers').next('b', { minIdleMs: 0 })).toBeUndefined();
        expect(await later.group(STREAM, 'workers').pending()).toEqual([]);
        expect(await delivery.renew()).toBe(false);
      });

      it('redelivers when the claim has stood still for minIdleMs in the eyes of the reader; the first then has lost it', async () => {
        await append('1');
        const first = await take(bus, 'a');
        const other = (await open()).group(STREAM, 'workers');
        expect(await other.next('b', { minIdleMs: 150 })).toBeUndefined();
        const before = nowMs();
        const second = await eventually(() => other.next('b', { minIdleMs: 150, blockMs: 500 }));
        expect(nowMs() - before).toBeGreaterThanOrEqual(140);
        expect(second.deliveries).toBe(2);
        expect(await first.renew()).toBe(false);
        expect(await second.renew()).toBe(true);
        expect(await second.ack()).toBe(true);
        expect(await first.ack()).toBe(false);
      });

      it('does not redeliver while the claim is renewed', async () => {
        await append('1');
        const first = await take(bus, 'a');
        const other = (await open()).group(STREAM, 'workers');
        for (let round = 0; round < 8; round += 1) {
          expect(await first.renew()).toBe(true);
          expect(await other.next('b', { minIdleMs: 400, blockMs: 60 })).toBeUndefined();
        }
      });

      it('gives a consumer its own pending message first after a restart under the same name, with a higher count', async () => {
        await append('1');
        await append('2');
        const lost = await take(bus, 'a');
        const restarted = await open();
        const again = await take(restarted, 'a');
        expect(again).toMatchObject({ record: { fields: { v: '1' } }, deliveries: 2 });
        expect(await lost.renew()).toBe(false);
        expect(await take(restarted, 'a')).toMatchObject({ record: { fields: { v: '2' } }, deliveries: 1 });
      });

      it('hands a released message to the next consumer without waiting', async () => {
        await append('1');
        await (await take(bus, 'a')).release();
        const other = await open();
        expect(await eventually(() => other.group(STREAM, 'workers').next('b', { minIdleMs: 60_000 }))).toMatchObject({ deliveries: 2 });
      });

      it('a closed handle hands its claims back', async () => {
        await append('1');
        const holder = await open();
        await take(holder, 'a');
        await holder.close();
        expect(await take(bus, 'b')).toMatchObject({ deliveries: 2 });
      });

      it('lists what is pending, with consumer, count and age', async () => {
        await append('1');
        await append('2');
        await take(bus, 'a');
        const other = (await open()).group(STREAM, 'workers');
        expect(await other.pending()).toMatchObject([{ consumer: 'a', deliveries: 1, idleMs: 0 }]);
        await eventually(async () => ((await other.pending())[0]?.idleMs ?? 0) >= 20);
      });

      it('wakes a blocked consumer', async () => {
        const other = await open();
        await comesEarly(async (attempt) => {
          const next = bus.group(STREAM, 'workers').next('a', { minIdleMs: 60_000, blockMs: MAX_BLOCK_MS });
          await append(attempt, other);
          expect(await next).toMatchObject({ record: { fields: { v: attempt } } });
        });
      });

      it('trap 44: a panic that is sent again under another key is delivered again', async () => {
        await bus.append(STREAM, { v: 'send 0' }, { idempotencyKey: 'panic/1' });
        await (await take(bus, 'a')).ack();
        await bus.append(STREAM, { v: 'send 1' }, { idempotencyKey: 'panic/1/resend/1' });
        expect(await take(bus, 'a')).toMatchObject({ record: { fields: { v: 'send 1' } }, deliveries: 1 });
      });
    });

    describe('latches', () => {
      it('begins at version 0 and rises by one with each change; everyone reads the newest', async () => {
        const other = (await open()).latch('state');
        expect(await other.get()).toMatchObject({ version: 0, fields: {} });
        expect(await bus.latch('state').compareAndSet(0, { mode: 'HALTED' })).toEqual({ outcome: 'committed', version: 1 });
        expect(await other.compareAndSet(1, { mode: 'ACTIVE' })).toEqual({ outcome: 'committed', version: 2 });
        const before = nowMs();
        const value = await bus.latch('state').get();
        expect(value).toMatchObject({ version: 2, fields: { mode: 'ACTIVE' } });
        expect(value.sentMs).toBeGreaterThanOrEqual(before);
        expect(value.sentMs).toBeLessThanOrEqual(nowMs());
        expect(await (await open()).latch('another').get()).toMatchObject({ version: 0 });
      });

      it('answers conflict to any other expected version', async () => {
        const latch = bus.latch('state');
        expect(await latch.compareAndSet(1, { v: 'x' })).toEqual({ outcome: 'conflict' });
        await latch.compareAndSet(0, { v: '1' });
        expect(await (await open()).latch('state').compareAndSet(0, { v: 'x' })).toEqual({ outcome: 'conflict' });
        expect(await latch.get()).toMatchObject({ version: 1, fields: { v: '1' } });
      });

      it('loses no update of any number of concurrent writers', async () => {
        const handles = [bus, await open(), await open(), await open()];
        let round = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(fc.nat(3), { minLength: 2, maxLength: 12 }), async (writers) => {
            round += 1;
            const key = `counter:${round}`;
            await Promise.all(writers.map((writer) => increment(handles[writer] ?? bus, key)));
            expect(await bus.latch(key).get()).toMatchObject({ version: writers.length, fields: { count: String(writers.length) } });
          }),
          { seed: fcSeed, numRuns: 10 },
        );
      });

      it('watch() resolves with the change, or with the current value after blockMs', async () => {
        const other = (await open()).latch('state');
        let version = 0;
        await comesEarly(async () => {
          const watching = other.watch(version, { blockMs: MAX_BLOCK_MS });
          await bus.latch('state').compareAndSet(version, { v: '1' });
          version += 1;
          expect(await watching).toMatchObject({ version, fields: { v: '1' } });
        });
        expect(await bus.latch('state').watch(version, { blockMs: 30 })).toMatchObject({ version });
      });

      it('S3: a value that cannot be understood is doubt, never an older value, and is not overwritten unseen', async () => {
        const latch = bus.latch('state');
        await latch.compareAndSet(0, { v: '1' });
        await latch.compareAndSet(1, { v: '2' });
        await rig.spoilLatch('state');
        await expect(latch.get()).rejects.toBeInstanceOf(BusDoubtError);
        await expect((await open()).latch('state').get()).rejects.toBeInstanceOf(BusDoubtError);
        for (const version of [2, 3]) expect((await latch.compareAndSet(version, { v: 'x' })).outcome).not.toBe('committed');
      });
    });

    describe('contact', () => {
      it('probes with the same identity from every handle', async () => {
        const before = nowMs();
        const [mine, other] = [await bus.probe(), await (await open()).probe()];
        expect(mine).toMatchObject({ ok: true });
        expect(mine.ok && other.ok && mine.identity === other.identity && mine.identity !== '').toBe(true);
        expect(mine.ok && mine.sentMs >= before && mine.roundTripMs >= 0).toBe(true);
      });

      if (losesContact) {
        it('without contact reads throw, writes report and never throw, and a probe fails', async () => {
          await append('1');
          const delivery = await take(bus, 'a');
          if (rig.cutContact === undefined) throw new Error('this rig cannot cut the contact');
          await rig.cutContact();
          await expect(bus.read(STREAM, FROM_START)).rejects.toBeInstanceOf(BusUnavailableError);
          await expect(bus.latest(STREAM, 'a')).rejects.toBeInstanceOf(BusUnavailableError);
          await expect(bus.group(STREAM, 'workers').next('a', { minIdleMs: 0 })).rejects.toBeInstanceOf(BusUnavailableError);
          await expect(bus.latch('state').get()).rejects.toBeInstanceOf(BusUnavailableError);
          await expect(delivery.ack()).rejects.toBeInstanceOf(BusUnavailableError);
          expect((await bus.append(STREAM, { v: '2' })).outcome).not.toBe('committed');
          expect((await bus.append(STREAM, { v: '2' }, { idempotencyKey: 'k' })).outcome).not.toBe('committed');
          expect((await bus.latch('state').compareAndSet(0, { v: '1' })).outcome).not.toBe('committed');
          expect(await bus.probe()).toMatchObject({ ok: false });
        });
      }

      it('after close() appends are refused, reads throw, a blocked read ends, and closing twice is fine', async () => {
        let closing = bus;
        await comesEarly(async () => {
          closing = await open();
          const blocked = closing.read(STREAM, FROM_START, { blockMs: MAX_BLOCK_MS });
          const ended = expect(blocked).rejects.toBeInstanceOf(BusUnavailableError);
          await closing.close();
          await closing.close();
          await ended;
        });
        expect(await closing.append(STREAM, { v: '1' })).toMatchObject({ outcome: 'refused', reason: 'closed' });
        expect(await closing.latch('state').compareAndSet(0, {})).toMatchObject({ outcome: 'refused', reason: 'closed' });
        await expect(closing.read(STREAM, FROM_START)).rejects.toBeInstanceOf(BusUnavailableError);
        await expect(closing.group(STREAM, 'workers').next('a', { minIdleMs: 0 })).rejects.toBeInstanceOf(BusUnavailableError);
        expect(await closing.probe()).toMatchObject({ ok: false });
        await append('others go on');
      });
    });
  });
}

/** Adds one to the counter, however often others come first. */
export async function increment(bus: Bus, key: string): Promise<void> {
  for (;;) {
    const { version, fields } = await bus.latch(key).get();
    const outcome = await bus.latch(key).compareAndSet(version, { count: String(Number(fields['count'] ?? '0') + 1) });
    if (outcome.outcome === 'committed') return;
    if (outcome.outcome !== 'conflict') throw new Error(`compare-and-set: ${outcome.outcome}`);
  }
}
