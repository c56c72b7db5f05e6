/** What happens between the admission of an order and its call, while its intent is written: the order, the place and the clock may change. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/clock.js';
import { ConfigurationError } from '../../../src/errors.js';
import type { IntentKind } from '../../../src/permission.js';
import { guardClient } from '../../../src/shutdownGate/clientGuard.js';
import { createShutdownGate } from '../../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../../src/shutdownGate/guard.js';
import { parseIntentFile } from '../../../src/shutdownGate/intentLog/intentFile.js';
import { IntentLog } from '../../../src/shutdownGate/intentLog/intentLog.js';
import { LoggedSend } from '../../../src/shutdownGate/intentLog/loggedSend.js';
import type { ReduceProof } from '../../../src/shutdownGate/reductions.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { inPlace } from './support.js';

interface Order {
  id: string;
  intent: IntentKind;
  quantity: number;
  symbol: string;
}

const ORDER: Order = { id: 'a-1', intent: 'increase', quantity: 1, symbol: 'AAPL' };

const at = inPlace();

function scene(clock: Clock = new ManualClock()) {
  const gate = createShutdownGate({ clock });
  const sent: Order[] = [];
  const submit = guardOrderSubmission(
    async (order: Order) => {
      sent.push({ ...order });
      return order.id;
    },
    {
      gate,
      clock,
      intent: (order) => order.intent,
      verifyReduce: ({ symbol, quantity }): ReduceProof => ({
        account: 'main',
        symbol,
        side: 'sell',
        quantity,
        position: 10,
        positionAgeMs: 0,
      }),
      intentLog: { directory: at.directory, clientOrderId: ({ id }) => id, symbol: ({ symbol }) => symbol },
    },
  );
  return { gate, sent, submit };
}

const outcomes = (): readonly unknown[] =>
  readdirSync(at.directory)
    .filter((name) => name.endsWith('.intent'))
    .map((name) => parseIntentFile(readFileSync(join(at.directory, name), 'utf8')))
    .map((record) => (record.kind === 'intent' ? [record.intent.clientOrderId, record.outcome?.outcome] : 'corrupt'));

describe('while an intent is written', () => {
  it.each<[string, Partial<Order>, Partial<Order>]>([
    ['its id', {}, { id: 'a-2' }],
    ['its symbol', {}, { symbol: 'MSFT' }],
    ['what it does to the risk', { intent: 'reduce' }, { intent: 'increase' }],
    ['what it does, to something that nobody knows', {}, { intent: 'sell' as IntentKind }],
    ['the quantity of a reduction', { intent: 'reduce' }, { quantity: 7 }],
  ])('S1 S2: an order that changes %s is not sent', async (_what, before, change) => {
    const { gate, sent, submit } = scene();
    const order = { ...ORDER, ...before };
    const submitted = submit(order);
    Object.assign(order, change);
    await expect(submitted).rejects.toMatchObject({ code: 'trading_halted', source: 'intent_log' });
    expect([sent, gate.inflight(), gate.unknownOutcomes()]).toEqual([[], 0, 0]);
    expect(outcomes()).toEqual([['a-1', 'refused']]);
  });

  it('an order that stays as it is is sent, also a reduction', async () => {
    const { sent, submit } = scene();
    expect(await submit({ ...ORDER, intent: 'reduce', quantity: 4 })).toBe('a-1');
    expect(sent).toHaveLength(1);
  });

  it('S3: a directory that was replaced has forgotten what was sent: nothing more is', async () => {
    const { gate, sent, submit } = scene();
    await submit(ORDER);
    rmSync(at.directory, { recursive: true });
    await expect(submit({ ...ORDER, id: 'a-2' })).rejects.toMatchObject({ code: 'trading_halted', source: 'intent_log' });
    mkdirSync(at.directory);
    await expect(submit(ORDER)).rejects.toMatchObject({
      code: 'trading_halted',
      reason: expect.stringContaining('is another directory') as unknown,
    });
    expect([sent.length, gate.inflight(), gate.unknownOutcomes()]).toEqual([1, 0, 0]);
  });

  it('an outcome whose intent has been deleted makes no file of its own', async () => {
    const log = new IntentLog(at.directory);
    await log.begin({ clientOrderId: 'a', symbol: '', label: '', intent: 'increase' });
    for (const name of readdirSync(at.directory)) rmSync(join(at.directory, name));
    await log.end('a', 'acknowledged', 'guard');
    expect(readdirSync(at.directory)).toEqual([]);
  });

  it('an outcome that cannot be written is told to the logger of the guard, and to its caller as ever', async () => {
    const errors: object[] = [];
    const ignore = () => undefined;
    const submit = guardOrderSubmission(
      async (id: string) => {
        rmSync(at.directory, { recursive: true });
        return id;
      },
      {
        gate: createShutdownGate(),
        intentLog: {
          directory: at.directory,
          clientOrderId: (id) => id,
          logger: { debug: ignore, info: ignore, warn: ignore, error: (details) => errors.push(details) },
        },
      },
    );
    expect(await submit('a')).toBe('a');
    expect(errors).toMatchObject([{ clientOrderId: 'a', outcome: 'acknowledged' }]);
  });

  it('S1: a reduction whose proof fails at the second look is not sent', async () => {
    const gate = createShutdownGate();
    let looks = 0;
    const sent: string[] = [];
    const proof = { account: 'main', symbol: 'AAPL', side: 'sell', quantity: 1, position: 10, positionAgeMs: 0 } as const;
    const submit = guardOrderSubmission(async (id: string) => sent.push(id), {
      gate,
      intent: 'reduce',
      verifyReduce: () => {
        looks += 1;
        if (looks > 1) throw new Error('no position');
        return proof;
      },
      intentLog: { directory: at.directory, clientOrderId: (id) => id },
    });
    await expect(submit('a')).rejects.toMatchObject({ source: 'intent_log' });
    expect([sent, gate.inflight()]).toEqual([[], 0]);
  });

  it('S3: an intent whose age nobody can tell, or that waited in a suspended host, is not sent', async () => {
    const manual = new ManualClock();
    let readsNaN = false;
    const clock: Clock = { ...manual, monotonicMs: () => (readsNaN ? Number.NaN : manual.monotonicMs()) };
    const log = new IntentLog(at.directory, { clock });
    const begun = await log.begin({ clientOrderId: 'a', symbol: '', label: '', intent: 'increase' });
    if (begun.kind !== 'durable') throw new Error(begun.kind);
    expect(log.isTooOld(begun.intent)).toBe(false);
    readsNaN = true;
    expect(log.isTooOld(begun.intent)).toBe(true);
    readsNaN = false;
    manual.stepWall(2_000);
    expect(log.isTooOld(begun.intent)).toBe(false);
    manual.stepWall(1);
    expect(log.isTooOld(begun.intent)).toBe(true);
    manual.stepWall(-3_600_000);
    expect(log.isTooOld(begun.intent)).toBe(false);
    expect(log.isTooOld({ ...begun.intent, writtenMs: begun.intent.writtenMs + 1 })).toBe(true);
  });

  it.each(['monotonicMs', 'wallMs'] as const)(
    'S2 S3: a clock whose %s fails then refuses the order, and it is not in doubt',
    async (reading) => {
      const manual = new ManualClock();
      let broken = false;
      const failing = (): number => {
        if (broken) throw new Error('no clock');
        return manual[reading]();
      };
      const { gate, sent, submit } = scene({ ...manual, [reading]: failing });
      const admission = submit.trySubmit(ORDER);
      broken = true;
      await expect(admission.ok ? admission.outcome : undefined).rejects.toMatchObject({ code: 'trading_halted' });
      expect([sent, gate.inflight(), gate.unknownOutcomes()]).toEqual([[], 0, 0]);
    },
  );

  it('S2 S3: a log that cannot be loaded refuses the order, is tried again at the next, and leaves nothing in doubt', async () => {
    let loads = 0;
    const log = new LoggedSend<[string]>({ directory: at.directory, clientOrderId: (id) => id }, new ManualClock(), async () => {
      loads += 1;
      if (loads === 1) throw new Error('too many open files');
      return await import('../../../src/shutdownGate/intentLog/intentLog.js');
    });
    const submission = { label: 'order', intent: 'increase', wasSent: true } as Parameters<typeof log.send>[0];
    const call = { changed: () => false, refusal: () => undefined, send: () => 'sent', outcomeOf: () => 'unknown' as const };
    await expect(log.send(submission, ['a'], call)).rejects.toMatchObject({ code: 'trading_halted', source: 'intent_log' });
    expect(submission.wasSent).toBe(false);
    expect(await log.send(submission, ['a'], call)).toBe('sent');
  });
});

describe('a cancel', () => {
  it('S10 trap 20: is no intent: neither the id of its order, nor one that is not known, nor a log that fails holds it up', async () => {
    const sent: string[] = [];
    const client = {
      createOrder: async ({ id }: { readonly id: string }) => sent.push(`create ${id}`),
      cancelOrder: async (id: string, symbol: string) => sent.push(`cancel ${id} ${symbol}`),
    };
    const guarded = guardClient(
      client,
      { createOrder: 'increase', cancelOrder: 'cancel' },
      {
        gate: createShutdownGate(),
        intentLog: { directory: at.directory, clientOrderId: (order) => (order as { readonly id: string }).id },
      },
    );
    await guarded.createOrder({ id: 'a' });
    await guarded.cancelOrder('venue-1', 'AAPL');
    expect(sent).toEqual(['create a', 'cancel venue-1 AAPL']);
    rmSync(at.directory, { recursive: true });
    writeFileSync(at.directory, 'no directory');
    const submit = guardOrderSubmission(async ({ id }: { readonly id: string; readonly does: IntentKind }) => sent.push(`cancel ${id}`), {
      gate: createShutdownGate(),
      intent: ({ does }) => does,
      intentLog: { directory: at.directory, clientOrderId: ({ id }) => id },
    });
    await expect(submit({ id: 'b', does: 'increase' })).rejects.toMatchObject({ source: 'intent_log' });
    const cancelled = submit({ id: 'a', does: 'cancel' });
    expect(sent).toEqual(['create a', 'cancel venue-1 AAPL', 'cancel a']);
    await cancelled;
  });
});

describe('the place of the log', () => {
  it('S2: outlives the host before the first intent in it counts', async () => {
    const nested = join(at.directory, 'of', 'today');
    const flushed: string[] = [];
    const log = new IntentLog(nested, {}, async (path) => void flushed.push(path));
    const begin = (clientOrderId: string) => log.begin({ clientOrderId, symbol: '', label: '', intent: 'increase' });
    expect((await begin('a')).kind).toBe('durable');
    expect(flushed).toEqual([join(at.directory, 'of'), at.directory, at.place, nested]);
    expect((await begin('b')).kind).toBe('durable');
    expect(flushed.slice(4)).toEqual([nested]);
  });

  it('S2: no intent counts where its directory cannot be flushed', async () => {
    const flushed: string[] = [];
    const log = new IntentLog(at.directory, {}, async (path) => {
      flushed.push(path);
      if (flushed.length === 1) throw new Error('EIO');
    });
    const begin = (clientOrderId: string) => log.begin({ clientOrderId, symbol: '', label: '', intent: 'increase' });
    expect(await begin('a')).toEqual({ kind: 'failed', detail: 'EIO' });
    expect((await begin('b')).kind).toBe('durable');
    expect(flushed).toEqual([at.place, at.place, at.directory]);
  });

  // A worker thread, in which mutants are judged, cannot change the directory that it stands in.
  it.skipIf(!isMainThread)('S2: stays where it was, wherever the process goes', async () => {
    const home = process.cwd();
    const elsewhere = join(at.place, 'elsewhere');
    mkdirSync(elsewhere);
    process.chdir(at.place);
    try {
      const submit = guardOrderSubmission((id: string) => id, {
        gate: createShutdownGate(),
        intentLog: { directory: 'relative', clientOrderId: (id) => id },
      });
      process.chdir(elsewhere);
      await submit('a');
    } finally {
      process.chdir(home);
    }
    expect([existsSync(join(at.place, 'relative')), existsSync(join(elsewhere, 'relative'))]).toEqual([true, false]);
  });

  it('S3: is refused by name where it can be none', () => {
    const build = () => guardOrderSubmission(() => 1, { intentLog: { directory: 'x\0y', clientOrderId: () => 'a' } });
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(expect.objectContaining({ field: 'intentLog.directory' }));
  });
});
