/** What an intent log keeps and what it takes for kept, and what it tells of an order that it holds back. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../../src/broker/broker.js';
import type { Clock } from '../../../src/clock.js';
import { createShutdownGate } from '../../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../../src/shutdownGate/guard.js';
import { type Intent, intentLine, outcomeLine, parseIntentFile } from '../../../src/shutdownGate/intentLog/intentFile.js';
import { IntentLog } from '../../../src/shutdownGate/intentLog/intentLog.js';
import { LoggedSend } from '../../../src/shutdownGate/intentLog/loggedSend.js';
import { reconcileIntents } from '../../../src/shutdownGate/intentLog/reconcile.js';
import type { GuardEvent, IntentLogOption } from '../../../src/shutdownGate/options.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { inPlace, venueWith } from './support.js';

const at = inPlace();

const INTENT: Intent = {
  ...{ clientOrderId: 'a', symbol: 's', label: 'l', intent: 'increase', writtenMs: 1, bootId: 'b', sendWithinMs: 5 },
  ...{ wallMs: 2, pid: 3 },
};
const NEW = (clientOrderId: string) => ({ clientOrderId, symbol: '', label: '', intent: 'increase' }) as const;
/** A line with a digest that holds, whatever stands in it. */
const sealed = (value: unknown): string => outcomeLine(value as never).trim();

describe('what stands in a file', () => {
  it('is the intent as it was written, and the last outcome that is whole', () => {
    expect(parseIntentFile(intentLine(INTENT))).toEqual({ kind: 'intent', intent: INTENT, outcome: undefined });
    const { sendWithinMs: _, ...older } = INTENT;
    expect(parseIntentFile(intentLine(older))).toMatchObject({ kind: 'intent', intent: older });
    const outcome = (what: string) => ({ outcome: what, by: 'me', wallMs: 1 }) as Parameters<typeof outcomeLine>[0];
    const lines = (...all: string[]) => parseIntentFile(intentLine(INTENT) + all.map((what) => outcomeLine(outcome(what))).join(''));
    expect(lines('acknowledged', 'refused')).toMatchObject({ outcome: { outcome: 'refused', by: 'me' } });
    expect(lines('refused', 'unknown')).toMatchObject({ outcome: { outcome: 'refused' } });
    expect(lines('unknown')).toMatchObject({ outcome: undefined });
  });

  it.each<[string, unknown]>([
    ['of another version', { version: 2, ...INTENT }],
    ['of no version', { ...INTENT }],
    ...(['clientOrderId', 'symbol', 'label', 'intent', 'bootId'] as const).map((field): [string, unknown] => [
      `whose ${field} is no text`,
      { version: 1, ...INTENT, [field]: 5 },
    ]),
    ...(['writtenMs', 'wallMs', 'pid'] as const).map((field): [string, unknown] => [
      `whose ${field} is no number`,
      { version: 1, ...INTENT, [field]: '5' },
    ]),
    ['whose sendWithinMs is no number', { version: 1, ...INTENT, sendWithinMs: '5' }],
    ['that is a number', 5],
    ['that is null', null],
    ['that is a text', 'version'],
  ])('S3: an intent %s is none', (_what, value) => {
    expect(parseIntentFile(`${sealed(value)}\n`)).toEqual({ kind: 'corrupt' });
  });

  it.each([
    ['nothing', ''],
    ['something before it', `x${intentLine(INTENT)}`],
    ['something after it in its line', `${intentLine(INTENT).trim()}\u2028x`],
    ['no digest', JSON.stringify({ version: 1, ...INTENT })],
  ])('S3: an intent with %s is none', (_what, text) => {
    expect(parseIntentFile(text)).toEqual({ kind: 'corrupt' });
  });

  it.each([{ outcome: 'filled', by: 'me', wallMs: 1 }, { outcome: 'acknowledged', by: 5, wallMs: 1 }, { by: 'me' }, 5, null])(
    'S3: %j is no outcome',
    (value) => {
      expect(parseIntentFile(`${intentLine(INTENT)}\n${sealed(value)}\n`)).toMatchObject({ kind: 'intent', outcome: undefined });
    },
  );
});

describe('a log', () => {
  it.each<[unknown, string]>([
    ['', '""'],
    [' ', '" "'],
    ['x\0y', '"x\\u0000y"'],
    [5, '5'],
    [undefined, 'undefined'],
  ])('S3: that would stand in %j is refused by name', (given, shown) => {
    const build = (): unknown => Reflect.construct(IntentLog, [given]);
    expect(build).toThrow(`intentLog.directory = ${shown}: must be the path of a directory`);
  });

  it('S3: whose orders would be sent within no time is refused by name', () => {
    const build = () => new IntentLog(at.directory, { sendWithinMs: 0 });
    expect(build).toThrow('intentLog.sendWithinMs = 0: must be a finite number between 1 and 2147483647');
  });

  it('S3: holds an order back from its time on, on either clock', async () => {
    const clock = new ManualClock();
    const log = new IntentLog(at.directory, { clock, sendWithinMs: 10 });
    const begun = await log.begin(NEW('a'));
    if (begun.kind !== 'durable') throw new Error(begun.kind);
    await clock.advance(10);
    expect(log.isTooOld(begun.intent)).toBe(false);
    await clock.advance(1);
    clock.stepWall(-11);
    expect(log.isTooOld(begun.intent)).toBe(true);
  });

  it.each<[string, Partial<Clock>, string]>([
    ['monotonic', { monotonicMs: () => Number.NaN }, 'the clocks read NaN and '],
    ['wall', { wallMs: () => Number.POSITIVE_INFINITY }, ' and Infinity'],
  ])('S3: keeps nothing while its %s clock reads no time', async (_which, reading, detail) => {
    const log = new IntentLog(at.directory, { clock: { ...new ManualClock(), ...reading } });
    expect(await log.begin(NEW('a'))).toEqual({ kind: 'failed', detail: expect.stringContaining(detail) as unknown });
  });

  it('S2: tells all of many intents, each once and in the order in which they were written, and nothing else that lies there', async () => {
    const clock = new ManualClock();
    const log = new IntentLog(at.directory, { clock });
    const ids = Array.from({ length: 40 }, (_, index) => `order-${index}`);
    for (const id of ids) {
      await log.begin(NEW(id));
      await clock.advance(1);
    }
    writeFileSync(join(at.directory, 'notes.txt'), 'none of its business');
    const { unresolved, corrupt } = await new IntentLog(at.directory, { clock }).read();
    expect([unresolved.map(({ clientOrderId }) => clientOrderId), corrupt]).toEqual([ids, []]);
    expect(readdirSync(at.directory).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('S2: asks again for an order of its own whose outcome nobody learned', async () => {
    const log = new IntentLog(at.directory);
    await log.begin(NEW('a'));
    expect((await log.read()).unresolved).toEqual([]);
    await log.end('a', 'unknown', 'guard');
    expect((await log.read()).unresolved).toMatchObject([{ clientOrderId: 'a' }]);
  });

  it('S3: tells of what cannot be read or written', async () => {
    const told: unknown[] = [];
    const ignore = () => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: (...what: unknown[]) => told.push(what) };
    const log = new IntentLog(at.directory, { logger });
    mkdirSync(join(at.directory, 'odd.intent'), { recursive: true });
    expect((await log.read()).corrupt).toEqual(['odd.intent']);
    await log.end('nobody', 'refused', 'guard');
    const error = expect.any(String) as unknown;
    expect(told).toEqual([
      [{ name: 'odd.intent', error }, 'an intent cannot be read'],
      [{ clientOrderId: 'nobody', outcome: 'refused', error }, 'the outcome of an intent could not be recorded'],
    ]);
  });

  it('knows the age of an intent by its own clock, and that of another boot by the younger of both', async () => {
    const clock = new ManualClock();
    const log = new IntentLog(at.directory, { clock });
    const begun = await log.begin(NEW('a'));
    if (begun.kind !== 'durable') throw new Error(begun.kind);
    await clock.advance(70);
    clock.stepWall(1_000);
    expect(log.ageMs(begun.intent)).toBe(70);
    expect(log.ageMs({ ...begun.intent, bootId: 'another' })).toBe(1_070);
    expect(log.ageMs({ ...begun.intent, bootId: 'another', wallMs: -1e15 })).toBe(clock.monotonicMs());
  });
});

describe('an order that is kept', () => {
  interface Order {
    id: string;
    symbol: string;
  }

  function scene(option: Partial<IntentLogOption<[Order]>> = {}, send: (order: Order) => Promise<string> = async ({ id }) => id) {
    const clock = new ManualClock();
    const gate = createShutdownGate({ clock });
    const events: GuardEvent[] = [];
    const observe = (event: GuardEvent): void => void events.push(event);
    const intentLog = { directory: at.directory, clientOrderId: ({ id }: Order) => id, ...option };
    const submit = guardOrderSubmission(send, { gate, clock, observe, intentLog });
    return { clock, gate, events, submit };
  }

  function stored() {
    const [name] = readdirSync(at.directory);
    const record = parseIntentFile(readFileSync(join(at.directory, name ?? ''), 'utf8'));
    if (record.kind !== 'intent') throw new Error('corrupt');
    return record;
  }

  it('is kept with what the broker needs beside its id, and with the time within which it may be sent', async () => {
    await scene().submit({ id: 'a', symbol: 's' });
    expect(stored()).toMatchObject({
      intent: { clientOrderId: 'a', symbol: '', label: 'order', intent: 'increase', sendWithinMs: 2_000 },
      outcome: { outcome: 'acknowledged', by: 'guard' },
    });
    rmSync(at.directory, { recursive: true });
    await scene({ symbol: ({ symbol }) => symbol, sendWithinMs: 700 }).submit({ id: 'a', symbol: 's' });
    expect(stored()).toMatchObject({ intent: { symbol: 's', sendWithinMs: 700 } });
    rmSync(at.directory, { recursive: true });
    await scene({ symbol: () => 5 as never }).submit({ id: 'a', symbol: 's' });
    expect(stored()).toMatchObject({ intent: { symbol: '' } });
  });

  it.each<[string, Error, string | undefined]>([
    ['that the venue refused', new BrokerRejectedError('too_small', 'min notional'), 'refused'],
    ['of which nobody knows', new Error('socket hang up'), undefined],
  ])('S2: %s is kept as such', async (_what, error, outcome) => {
    const { submit } = scene({}, () => Promise.reject(error));
    await expect(submit({ id: 'a', symbol: '' })).rejects.toBe(error);
    expect(stored().outcome?.outcome).toBe(outcome);
  });

  it.each<[string, Partial<IntentLogOption<[Order]>>, string]>([
    ['without an id', { clientOrderId: () => '' }, 'the client order id of the order is not known'],
    ['with an id that is no text', { clientOrderId: () => 5 as never }, 'the client order id of the order is not known'],
    [
      'with an id that throws',
      {
        clientOrderId: () => {
          throw new Error('no id');
        },
      },
      'the client order id of the order is not known',
    ],
  ])('S3: %s is refused, and surely not in doubt', async (_what, option, reason) => {
    const { submit, gate, events } = scene(option);
    await expect(submit({ id: 'a', symbol: '' })).rejects.toMatchObject({ code: 'trading_halted', source: 'intent_log', reason });
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
    expect(events.at(-1)).toMatchObject({ type: 'settled', settled: { outcome: 'refused' } });
  });

  it('S2 S3: is refused with the reason: sent before, changed, too late, a clock or a log that fails', async () => {
    const { submit } = scene();
    const order = { id: 'a', symbol: '' };
    await submit(order);
    await expect(submit(order)).rejects.toMatchObject({
      code: 'duplicate_client_order_id',
      source: 'intent_log',
      reason: 'a was to be sent before: ask the venue what became of it',
    });
    const changing = { id: 'b', symbol: '' };
    const changed = submit(changing);
    changing.id = 'c';
    await expect(changed).rejects.toMatchObject({ reason: 'the order was changed while its intent was kept' });
    const late = scene();
    const slow = late.submit({ id: 'd', symbol: '' });
    late.clock.stepWall(2_001);
    // The step comes before the intent is written: it counts from then.
    expect(await slow).toBe('d');
    const suspended = new ManualClock();
    const log = new LoggedSend<[string]>({ directory: at.directory, clientOrderId: (id) => id }, suspended);
    const submission = { label: 'order', intent: 'increase', wasSent: true } as Parameters<typeof log.send>[0];
    const call = { refusal: () => undefined, send: () => 'sent', outcomeOf: () => 'unknown' as const };
    const changedLate = () => {
      suspended.stepWall(2_001);
      return false;
    };
    await expect(log.send(submission, ['e'], { ...call, changed: changedLate })).rejects.toMatchObject({
      reason: 'it took more than 2000 ms to keep the intent',
    });
    const failing = () => {
      throw new Error('no clock');
    };
    await expect(log.send(submission, ['f'], { ...call, changed: failing })).rejects.toMatchObject({
      reason: 'nobody can say whether the order may still be sent: no clock',
    });
    const unloadable = new LoggedSend<[string]>({ directory: at.directory, clientOrderId: (id) => id }, suspended, () =>
      Promise.reject(new Error('EMFILE')),
    );
    await expect(unloadable.send(submission, ['g'], { ...call, changed: () => false })).rejects.toMatchObject({
      reason: 'the intent log cannot be loaded: EMFILE',
    });
  });
});

describe('a reconciliation', () => {
  async function left(clock: ManualClock, options: object = {}): Promise<IntentLog> {
    await new IntentLog(at.directory, { clock, ...options }).begin(NEW('a'));
    return new IntentLog(at.directory, { clock });
  }
  const whyOf = async (...asked: Parameters<typeof reconcileIntents>) =>
    (await reconcileIntents(...asked)).unresolved.map(({ why }) => why);
  const outcomeIn = () => {
    const record = parseIntentFile(readFileSync(join(at.directory, readdirSync(at.directory)[0] ?? ''), 'utf8'));
    return record.kind === 'intent' ? record.outcome : record;
  };

  it('S2: records who did it, and what for', async () => {
    const clock = new ManualClock();
    await reconcileIntents(await left(clock), venueWith(['a']));
    expect(outcomeIn()).toMatchObject({ outcome: 'acknowledged', by: 'reconcile' });
    rmSync(at.directory, { recursive: true });
    const log = await left(clock);
    await clock.advance(2_051);
    await reconcileIntents(log, venueWith([], { orderExpiryMs: 0 }), { by: 'start' });
    expect(outcomeIn()).toMatchObject({ outcome: 'refused', by: 'start' });
  });

  it('asks a venue what it promises only where it matters', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const venue = venueWith([]);
    const counting = {
      ...venue,
      capabilities: (signal: AbortSignal) => {
        asked += 1;
        return venue.capabilities(signal);
      },
    };
    const empty = new IntentLog(at.directory, { clock });
    await reconcileIntents(empty, counting);
    const log = await left(clock);
    await reconcileIntents(log, counting, { unseenAfterMs: 60_000 });
    expect(asked).toBe(0);
    await reconcileIntents(log, counting);
    expect(asked).toBe(1);
  });

  it('S2: says why nobody knows', async () => {
    const clock = new ManualClock();
    const log = await left(clock);
    const promising = (capabilities: object) => whyOf(log, venueWith([], capabilities));
    const noEnd = ['not found, at a venue that promises no end to what may still arrive'];
    for (const orderExpiryMs of [undefined, -1, Number.POSITIVE_INFINITY, Number.NaN, '5'])
      expect(await promising({ orderExpiryMs })).toEqual(noEnd);
    expect(await promising({ orderExpiryMs: 0, readLagMs: -1 })).toEqual(noEnd);
    expect(await promising({ orderExpiryMs: 0, clientOrderIds: 'while_open' })).toEqual(noEnd);
    expect(await promising({ orderExpiryMs: 0 })).toEqual(['not found, but it may arrive until it is 2050 ms old']);
    const silent = { ...venueWith([]), capabilities: () => Promise.reject(new Error('down')) };
    expect(await whyOf(log, silent)).toEqual(['not found, and the venue did not say until when it may arrive: down']);
    for (const answer of [null, undefined, 5, 'found', {}, { found: 'no' }]) {
      const halves = { ...venueWith([]), orderByClientId: async () => answer as never };
      expect(await whyOf(log, halves)).toEqual(['the answer of the venue says neither that it was found nor that it was not']);
    }
    expect(await whyOf(log, venueWith([]), { unseenAfterMs: 0 })).toEqual(['not found, but it may arrive until it is 2000 ms old']);
    await clock.advance(2_000);
    expect(await whyOf(log, venueWith([]), { unseenAfterMs: 0 })).toHaveLength(1);
    await clock.advance(1);
    expect(await whyOf(log, venueWith([]), { unseenAfterMs: 0 })).toEqual([]);
  });

  it.each([-1, Number.NaN, '5'])('S3: unseenAfterMs = %s is refused by name', async (unseenAfterMs) => {
    const log = await left(new ManualClock());
    const asked = reconcileIntents(log, venueWith([]), { unseenAfterMs: unseenAfterMs as number });
    await expect(asked).rejects.toThrow(/^unseenAfterMs = .*: must be a finite number between 0 and 2147483647/);
  });
});
