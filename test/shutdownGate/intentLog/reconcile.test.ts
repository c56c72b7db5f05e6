/** What reconciliation makes of brokers, clocks and files that answer by halves: doubt, and never "it did not arrive". */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker, Query } from '../../../src/broker/broker.js';
import type { Clock } from '../../../src/clock.js';
import { fileNameOf, type Intent, intentLine, parseIntentFile } from '../../../src/shutdownGate/intentLog/intentFile.js';
import { IntentLog } from '../../../src/shutdownGate/intentLog/intentLog.js';
import { reconcileIntents } from '../../../src/shutdownGate/intentLog/reconcile.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { fastTemporaryDirectory } from '../../support/temporaryDirectory.js';
import { venueWith } from './support.js';

let directory: string;
beforeEach(() => {
  directory = fastTemporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const ORDER = { clientOrderId: 'a', symbol: '', label: 'order', intent: 'increase' } as const;

async function left(clock: Clock, options: object = {}): Promise<IntentLog> {
  await new IntentLog(directory, { clock, ...options }).begin(ORDER);
  return new IntentLog(directory, { clock });
}

function idsOf({ found, neverArrived, unresolved }: Awaited<ReturnType<typeof reconcileIntents>>) {
  const ids = (intents: readonly Intent[]) => intents.map(({ clientOrderId }) => clientOrderId);
  return { found: ids(found), neverArrived: ids(neverArrived), unresolved: ids(unresolved.map(({ intent }) => intent)) };
}

const NOBODY_KNOWS = { found: [], neverArrived: [], unresolved: ['a'] };
const NEVER = { found: [], neverArrived: ['a'], unresolved: [] };

describe('reconciliation', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['a word', 'found'],
    ['a text for a truth value', { found: 'false' }],
    ['zero for a truth value', { found: 0 }],
    ['one for a truth value', { found: 1 }],
  ])('S3 S5: %s for an answer of the venue resolves nothing, and hides no other intent', async (_what, answer) => {
    const clock = new ManualClock();
    const log = await left(clock);
    await new IntentLog(directory, { clock }).begin({ ...ORDER, clientOrderId: 'b' });
    await clock.advance(3_600_000);
    const whole = venueWith(['b'], { orderExpiryMs: 1 });
    const orderByClientId = async (symbol: string, id: string) => (id === 'a' ? answer : whole.orderByClientId(symbol, id));
    const report = await reconcileIntents(log, { ...whole, orderByClientId } as Broker);
    expect(idsOf(report)).toEqual({ found: ['b'], neverArrived: [], unresolved: ['a'] });
  });

  it.each<[string, unknown]>([
    ['an expiry that is no number', { orderExpiryMs: Number.NaN }],
    ['an expiry of null', { orderExpiryMs: null }],
    ['an expiry below zero', { orderExpiryMs: -1_000_000 }],
    ['an expiry as a text', { orderExpiryMs: '500' }],
    ['a lag that is no number', { orderExpiryMs: 500, readLagMs: Number.NaN }],
    ['no lag', { orderExpiryMs: 500, readLagMs: undefined }],
    ['a lag below zero', { orderExpiryMs: 500, readLagMs: -1 }],
  ])('S3: %s is no promise of the venue', async (_what, capabilities) => {
    const clock = new ManualClock();
    const log = await left(clock);
    await clock.advance(3_600_000);
    expect(idsOf(await reconcileIntents(log, venueWith([], capabilities as object)))).toEqual(NOBODY_KNOWS);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['fails', async () => Promise.reject(new Error('down'))],
    ['answers null', async () => null],
  ])('S5: a venue whose word on itself %s has found what it found', async (_what, capabilities) => {
    const clock = new ManualClock();
    const log = await left(clock);
    await new IntentLog(directory, { clock }).begin({ ...ORDER, clientOrderId: 'b' });
    await clock.advance(3_600_000);
    const broker = { ...venueWith(['b']), capabilities } as Broker;
    expect(idsOf(await reconcileIntents(log, broker))).toEqual({ found: ['b'], neverArrived: [], unresolved: ['a'] });
  });

  it('S5: a venue that never answers holds up neither the other intents nor whoever waits, and is told so', async () => {
    const clock = new ManualClock();
    const log = await left(clock);
    await new IntentLog(directory, { clock }).begin({ ...ORDER, clientOrderId: 'b' });
    await clock.advance(3_600_000);
    const whole = venueWith(['b']);
    const given: (AbortSignal | undefined)[] = [];
    const hang = async (signal: AbortSignal | undefined): Promise<never> => {
      given.push(signal);
      return new Promise(() => undefined);
    };
    const orderByClientId = async (symbol: string, id: string, signal?: AbortSignal) =>
      id === 'a' ? hang(signal) : whole.orderByClientId(symbol, id);
    const broker: Broker = { ...whole, orderByClientId, capabilities: hang };
    const reconciling = reconcileIntents(log, broker, { queryTimeoutMs: 500 });
    await expect.poll(() => given.length).toBe(1);
    await clock.advance(500);
    await expect.poll(() => given.length).toBe(2);
    await clock.advance(500);
    const report = await reconciling;
    expect(idsOf(report)).toEqual({ found: ['b'], neverArrived: [], unresolved: ['a'] });
    expect(report.unresolved[0]?.why).toBe('the venue did not answer: it took more than 500 ms');
    expect(given.map((signal) => signal?.aborted)).toEqual([true, true]);
  });

  it('an abort is passed on to the venue', async () => {
    const clock = new ManualClock();
    const log = await left(clock);
    const stop = new AbortController();
    const orderByClientId = async (_symbol: string, _id: string, signal?: AbortSignal): Promise<Query> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
        stop.abort();
      });
    const { unresolved } = await reconcileIntents(log, { ...venueWith([]), orderByClientId }, { signal: stop.signal });
    expect(unresolved).toMatchObject([{ why: 'the venue did not answer: aborted' }]);
  });

  it.each([0, -1, Number.NaN])('S3: queryTimeoutMs = %s is refused by name', async (queryTimeoutMs) => {
    const log = new IntentLog(directory);
    await expect(reconcileIntents(log, venueWith([]), { queryTimeoutMs })).rejects.toMatchObject({ field: 'queryTimeoutMs' });
  });

  it('S3: a clock that reads nothing makes nothing old enough', async () => {
    const manual = new ManualClock();
    await left(manual);
    await manual.advance(3_600_000);
    const log = new IntentLog(directory, { clock: { ...manual, monotonicMs: () => Number.NaN } });
    expect(idsOf(await reconcileIntents(log, venueWith([], { orderExpiryMs: 1 })))).toEqual(NOBODY_KNOWS);
  });

  it('S2: an intent that its own sender may still send is not taken for one that never arrived', async () => {
    const clock = new ManualClock();
    const log = await left(clock, { sendWithinMs: 60_000 });
    const venue = venueWith([], { orderExpiryMs: 1_000 });
    await clock.advance(61_050);
    expect(idsOf(await reconcileIntents(log, venue))).toEqual(NOBODY_KNOWS);
    expect(idsOf(await reconcileIntents(log, venue, { unseenAfterMs: 2_000 }))).toEqual(NEVER);
    await new IntentLog(directory, { clock, sendWithinMs: 60_000 }).begin({ ...ORDER, clientOrderId: 'b' });
    await clock.advance(60_000);
    expect(idsOf(await reconcileIntents(log, venue, { unseenAfterMs: 2_000 })).unresolved).toEqual(['b']);
    await clock.advance(1_051);
    expect(idsOf(await reconcileIntents(log, venue)).neverArrived).toEqual(['b']);
  });

  it('an intent of a version that did not say so counts as sent within the time of the log that is read', async () => {
    const clock = new ManualClock({ startMs: 10_000 });
    const intent = { ...ORDER, writtenMs: 10_000, bootId: '', wallMs: clock.wallMs(), pid: 1 };
    const log = await left(clock);
    const own = (await log.read()).unresolved[0];
    if (own === undefined) throw new Error('no intent');
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    writeFileSync(join(directory, fileNameOf('a')), intentLine({ ...intent, bootId: own.bootId }));
    expect(parseIntentFile(intentLine(intent))).toMatchObject({ kind: 'intent', intent });
    await clock.advance(2_550);
    expect(idsOf(await reconcileIntents(log, venueWith([], { orderExpiryMs: 500 })))).toEqual(NOBODY_KNOWS);
    await clock.advance(1);
    expect(idsOf(await reconcileIntents(log, venueWith([], { orderExpiryMs: 500 })))).toEqual(NEVER);
  });

  it('S2: on a disk that was moved here from another host, uptime says nothing of how old an intent is', async () => {
    const clock = new ManualClock({ startMs: 3_600_000_000 });
    const log = await left(clock);
    const text = intentLine({ ...ORDER, writtenMs: 5, bootId: 'of another host', wallMs: clock.wallMs(), pid: 1 });
    writeFileSync(join(directory, fileNameOf('a')), text);
    const venue = venueWith([], { orderExpiryMs: 500 });
    expect(idsOf(await reconcileIntents(log, venue))).toEqual(NOBODY_KNOWS);
    await clock.advance(2_551);
    expect(idsOf(await reconcileIntents(log, venue))).toEqual(NEVER);
  });

  it.skipIf(process.platform === 'win32')('S3: a file that cannot be read is told of, and hides no other', async () => {
    const clock = new ManualClock();
    const log = await left(clock);
    mkdirSync(join(directory, 'directory.intent'));
    writeFileSync(join(directory, 'secret.intent'), '');
    chmodSync(join(directory, 'secret.intent'), 0);
    const report = await reconcileIntents(log, venueWith(['a']));
    expect([idsOf(report).found, [...report.corrupt].sort()]).toEqual([['a'], ['directory.intent', 'secret.intent']]);
  });
});
