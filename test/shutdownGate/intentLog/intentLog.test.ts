import { appendFileSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/errors.js';
import { createShutdownGate } from '../../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../../src/shutdownGate/guard.js';
import { parseIntentFile } from '../../../src/shutdownGate/intentLog/intentFile.js';
import { IntentLog } from '../../../src/shutdownGate/intentLog/intentLog.js';
import { reconcileIntents } from '../../../src/shutdownGate/intentLog/reconcile.js';
import { reconcile } from '../../../src/shutdownGate/intentLog/reconcileAt.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { FC_SEED, openCall, switchable } from '../support.js';
import { inPlace, venueWith } from './support.js';

interface Order {
  readonly id: string;
}

const at = inPlace();

const files = (): string[] => readdirSync(at.directory).filter((name) => name.endsWith('.intent'));
const textOf = (index = 0): string => readFileSync(join(at.directory, files()[index] ?? ''), 'utf8');

function scene() {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const killSwitch = switchable('killSwitch');
  const sent: string[] = [];
  const seenAtSend: string[][] = [];
  const call = openCall<string>();
  const submit = guardOrderSubmission(
    (order: Order) => {
      sent.push(order.id);
      seenAtSend.push(files());
      return call.promise;
    },
    { gate, killSwitch, clock, intentLog: { directory: at.directory, clientOrderId: (order) => order.id, symbol: () => 'AAPL' } },
  );
  return { clock, gate, killSwitch, sent, seenAtSend, call, submit };
}

describe('intent log', () => {
  it('S2: the intent is on disk before the order is sent, and its outcome after', async () => {
    const { gate, sent, seenAtSend, call, submit } = scene();
    const order = submit({ id: 'a-1' });
    expect([sent, gate.inflight()]).toEqual([[], 1]);
    await expect.poll(() => sent).toEqual(['a-1']);
    expect(seenAtSend[0]).toHaveLength(1);
    expect(parseIntentFile(textOf())).toMatchObject({
      kind: 'intent',
      intent: { clientOrderId: 'a-1', symbol: 'AAPL' },
      outcome: undefined,
    });
    call.resolve('ok');
    expect(await order).toBe('ok');
    expect(parseIntentFile(textOf())).toMatchObject({ outcome: { outcome: 'acknowledged', by: 'guard' } });
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
  });

  it('S2: a client order id is sent once, whoever asks and whenever', async () => {
    const first = scene();
    first.call.resolve('ok');
    await first.submit({ id: 'a-1' });
    const second = scene();
    await expect(second.submit({ id: 'a-1' })).rejects.toMatchObject({ code: 'duplicate_client_order_id' });
    const both = ['b-1', 'b-1', 'b-1'].map((id) => second.submit({ id }));
    second.call.resolve('ok');
    const ends = await Promise.allSettled(both);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect([second.sent, second.gate.inflight(), second.gate.unknownOutcomes()]).toEqual([['b-1'], 0, 0]);
  });

  it.each(['halt', 'shutdown'])('S1: a %s between the admission and the call is heard: nothing is sent', async (what) => {
    const { gate, killSwitch, sent, submit } = scene();
    const admission = submit.trySubmit({ id: 'a-1' });
    expect(admission.ok).toBe(true);
    if (what === 'halt') killSwitch.code = 'kill_switch_enabled';
    else gate.requestShutdown('stop');
    const code = what === 'halt' ? 'kill_switch_enabled' : 'shutdown_requested';
    await expect(admission.ok ? admission.outcome : undefined).rejects.toMatchObject({ code });
    expect([sent, gate.inflight(), gate.unknownOutcomes()]).toEqual([[], 0, 0]);
    expect(parseIntentFile(textOf())).toMatchObject({ outcome: { outcome: 'refused' } });
  });

  it('S3: an intent that cannot be kept, has no id or took too long is not sent', async () => {
    writeFileSync(at.directory, 'a file');
    const { sent, submit, gate } = scene();
    await expect(submit({ id: 'a-1' })).rejects.toMatchObject({ code: 'trading_halted', source: 'intent_log' });
    await expect(submit({ id: '' })).rejects.toMatchObject({ reason: expect.stringContaining('id') as unknown });
    await expect(submit(undefined as unknown as Order)).rejects.toMatchObject({ source: 'intent_log' });
    expect([sent, gate.unknownOutcomes()]).toEqual([[], 0]);
    const clock = new ManualClock();
    const log = new IntentLog(join(at.place, 'other'), { clock, sendWithinMs: 10 });
    const begun = await log.begin({ clientOrderId: 'x', symbol: '', label: '', intent: 'increase' });
    if (begun.kind !== 'durable') throw new Error(begun.kind);
    expect(log.isTooOld(begun.intent)).toBe(false);
    await clock.advance(11);
    expect(log.isTooOld(begun.intent)).toBe(true);
  });

  it('S2: a directory that is mended later is used then', async () => {
    writeFileSync(at.directory, 'a file');
    const log = new IntentLog(at.directory);
    const order = { clientOrderId: 'x', symbol: '', label: '', intent: 'increase' } as const;
    expect((await log.begin(order)).kind).toBe('failed');
    unlinkSync(at.directory);
    expect((await log.begin(order)).kind).toBe('durable');
  });

  it.each<[string, object]>([
    ['intentLog.directory', {}],
    ['intentLog.directory', { directory: ' ' }],
    ['intentLog.clientOrderId', { directory: 'x' }],
    ['intentLog.symbol', { directory: 'x', clientOrderId: () => '', symbol: 'AAPL' }],
    ['intentLog.sendWithinMs', { directory: 'x', clientOrderId: () => '', sendWithinMs: 0 }],
    ['intentLog.dir', { directory: 'x', dir: 'x', clientOrderId: () => '' }],
  ])('S3: %s that cannot hold is refused by name', (field, intentLog) => {
    const build = (): unknown => Reflect.apply(guardOrderSubmission, undefined, [() => 1, { intentLog }]);
    expect(build).toThrow(expect.objectContaining({ field }));
    expect(build).toThrow(ConfigurationError);
  });
});

describe('reconciliation', () => {
  async function left(clock: ManualClock, ...ids: readonly string[]): Promise<IntentLog> {
    const dead = new IntentLog(at.directory, { clock });
    for (const clientOrderId of ids) await dead.begin({ clientOrderId, symbol: 'AAPL', label: 'order', intent: 'increase' });
    return new IntentLog(at.directory, { clock });
  }

  it('S2: what the venue knows was sent; what it cannot get any more never arrived; both for good', async () => {
    const clock = new ManualClock();
    const log = await left(clock, 'sent', 'lost');
    const broker = venueWith(['sent'], { orderExpiryMs: 500 });
    const early = await reconcileIntents(log, broker);
    expect(early.found.map(({ clientOrderId }) => clientOrderId)).toEqual(['sent']);
    expect(early.unresolved).toMatchObject([
      { intent: { clientOrderId: 'lost' }, why: 'not found, but it may arrive until it is 2550 ms old' },
    ]);
    await clock.advance(2_551);
    const late = await reconcileIntents(log, broker, { by: 'start' });
    expect([late.found, late.neverArrived.map(({ clientOrderId }) => clientOrderId), late.unresolved]).toEqual([[], ['lost'], []]);
    expect(await reconcileIntents(log, broker)).toEqual({ found: [], neverArrived: [], unresolved: [], corrupt: [] });
    const again = await log.begin({ clientOrderId: 'lost', symbol: 'AAPL', label: 'order', intent: 'increase' });
    expect(again.kind).toBe('duplicate');
  });

  it.each([{ orderExpiryMs: undefined }, { orderExpiryMs: 500, clientOrderIds: 'while_open' }])(
    'S2: at a venue that promises no end to what may arrive "not found" stays unresolved (%o)',
    async (capabilities) => {
      const clock = new ManualClock();
      const log = await left(clock, 'lost');
      await clock.advance(3_600_000);
      const broker = venueWith([], capabilities);
      expect((await reconcileIntents(log, broker)).unresolved).toHaveLength(1);
      expect((await reconcileIntents(log, broker, { unseenAfterMs: 60_000 })).neverArrived).toHaveLength(1);
    },
  );

  it('S5: a venue that does not answer resolves nothing', async () => {
    const clock = new ManualClock();
    const log = await left(clock, 'a');
    const silent = { ...venueWith([], { orderExpiryMs: 1 }), orderByClientId: async () => Promise.reject(new Error('down')) };
    await clock.advance(60_000);
    expect((await reconcileIntents(log, silent)).unresolved).toMatchObject([{ why: 'the venue did not answer: down' }]);
  });

  it('S2: intents under way in this process are left alone, and the directory alone is enough', async () => {
    const clock = new ManualClock();
    const log = await left(clock, 'theirs');
    await log.begin({ clientOrderId: 'mine', symbol: '', label: '', intent: 'increase' });
    expect((await log.read()).unresolved.map(({ clientOrderId }) => clientOrderId)).toEqual(['theirs']);
    const report = await reconcile(venueWith(['theirs', 'mine']), { directory: at.directory, clock });
    expect(report.found).toHaveLength(2);
  });

  it('S3: damage is told, wherever it falls, and never taken for an outcome', async () => {
    const clock = new ManualClock();
    const log = await left(clock, 'a');
    await log.end('a', 'unknown', 'guard');
    const whole = textOf();
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (offset, byte) => {
        const bytes = Buffer.from(whole);
        fc.pre(bytes[offset] !== byte);
        bytes[offset] = byte;
        const record = parseIntentFile(bytes.toString('utf8'));
        if (record.kind === 'intent') expect(record).toEqual({ ...parseIntentFile(whole), outcome: undefined });
      }),
      { seed: FC_SEED, numRuns: 300 },
    );
    for (let length = 0; length < whole.length; length += 1) {
      const record = parseIntentFile(whole.slice(0, length));
      if (record.kind === 'intent') expect(record.outcome).toBeUndefined();
    }
    mkdirSync(at.directory, { recursive: true });
    writeFileSync(join(at.directory, 'torn.intent'), '');
    appendFileSync(join(at.directory, files().find((name) => name !== 'torn.intent') ?? ''), 'half an outc');
    const { unresolved, corrupt } = await log.read();
    expect([unresolved.map(({ clientOrderId }) => clientOrderId), corrupt]).toEqual([['a'], ['torn.intent']]);
    await log.end('a', 'acknowledged', 'ops');
    expect((await log.read()).unresolved).toEqual([]);
  });
});
