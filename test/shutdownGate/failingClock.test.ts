/** A clock that throws or reads nothing: the gate still shuts, an order that has ended is in flight no more, and nobody waits for ever. */
import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { ReduceProof } from '../../src/shutdownGate/reductions.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall, settled } from './support.js';

/** A clock of which either reading can be made to fail; its timers go on. */
function brittle() {
  const manual = new ManualClock();
  const fails: { monotonic: 'no' | 'throws' | 'NaN'; wall: boolean } = { monotonic: 'no', wall: false };
  const broken = (): never => {
    throw new Error('no clock');
  };
  const clock: Clock = {
    monotonicMs: () => {
      if (fails.monotonic === 'throws') return broken();
      return fails.monotonic === 'NaN' ? Number.NaN : manual.monotonicMs();
    },
    wallMs: () => (fails.wall ? broken() : manual.wallMs()),
    setTimer: (delayMs, fire) => manual.setTimer(delayMs, fire),
    sleep: (delayMs, signal) => manual.sleep(delayMs, signal),
  };
  return { clock, manual, fails };
}

const PROOF: ReduceProof = { account: 'main', symbol: 'AAPL', side: 'sell', quantity: 4, position: 10, positionAgeMs: 0 };

describe('a clock that fails', () => {
  it('S1: the gate shuts all the same', () => {
    const { clock, fails } = brittle();
    const gate = createShutdownGate({ clock });
    fails.wall = true;
    gate.requestShutdown('end of day');
    expect(gate.status()).toMatchObject({ requested: true, reason: 'end of day', sinceWallMs: 0 });
    expect(guardOrderSubmission(() => 1, { gate }).trySubmit()).toMatchObject({ ok: false, code: 'shutdown_requested' });
  });

  it.each(['throws', 'NaN'] as const)('S3: no order begins while the monotonic one %s', (how) => {
    const { clock, fails } = brittle();
    const gate = createShutdownGate({ clock });
    const call = vi.fn(async () => 'sent');
    const submit = guardOrderSubmission(call, { gate, brokerTimeoutMs: 1_000 });
    fails.monotonic = how;
    expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'trading_halted', source: 'order_door' });
    expect([call.mock.calls.length, gate.inflight()]).toEqual([0, 0]);
  });

  it('S2 S13: an acknowledged reduction is told to its caller, and the drain is over', async () => {
    const { clock, fails } = brittle();
    const gate = createShutdownGate({ clock });
    const call = openCall<string>();
    const seen: string[] = [];
    const observe = ({ type }: { readonly type: string }): void => void seen.push(type);
    const reduce = guardOrderSubmission((_proof: ReduceProof) => call.promise, {
      gate,
      intent: 'reduce',
      verifyReduce: (proof) => proof,
      observe,
    });
    const answer = reduce(PROOF);
    const drained = gate.waitForInflightZero({ timeoutMs: 60_000 });
    fails.monotonic = 'throws';
    call.resolve('filled');
    expect(await answer).toBe('filled');
    expect(await drained).toMatchObject({ drained: true, unfinished: [] });
    expect(seen).toEqual(['admitted', 'settled']);
    fails.monotonic = 'no';
    // When it was acknowledged nobody knows, so no position shows it yet: less may be sold, never more.
    expect(reduce.trySubmit({ ...PROOF, quantity: 7 })).toMatchObject({ ok: false, code: 'not_reducing', maxQuantity: 6 });
  });

  it.each(['throws', 'NaN'] as const)(
    'S2 S3: while the monotonic one %s the gate admits nobody by hand, and tells what it holds',
    async (how) => {
      const { clock, fails } = brittle();
      const gate = createShutdownGate({ clock });
      const permit = gate.tryEnter('first');
      fails.monotonic = how;
      expect(gate.tryEnter('second')).toEqual({
        ok: false,
        code: 'trading_halted',
        source: 'shutdown_gate',
        reason: 'the clock of the gate reads NaN',
      });
      const first = { entryId: 1, label: 'first', ageMs: Number.NaN, state: 'in_flight' };
      expect(gate.protocol.unfinished()).toEqual([first]);
      expect(gate.status()).toMatchObject({ inflight: 1, oldestInflightAgeMs: Number.NaN });
      expect(await gate.waitForInflightZero({ timeoutMs: 0 })).toEqual({
        drained: false,
        waitedMs: Number.NaN,
        unfinished: [first],
        inflightElsewhere: 0,
      });
      const drained = gate.waitForInflightZero();
      if (permit.ok) permit.settle('acknowledged');
      expect(await drained).toMatchObject({ drained: true });
      gate.requestShutdown('stop');
      expect(gate.tryEnter('third')).toMatchObject({ ok: false, code: 'shutdown_requested' });
    },
  );

  it.each(['throws', 'NaN'] as const)('L5: whoever waits is told once the monotonic one that %s is right again', async (how) => {
    const { clock, manual, fails } = brittle();
    const gate = createShutdownGate({ clock });
    const submit = guardOrderSubmission(() => openCall<string>().promise, { gate, submissionTimeoutMs: 1_000 });
    let end = 'waits';
    submit().catch((error: unknown) => {
      end = error instanceof Error ? error.name : 'rejected';
    });
    fails.monotonic = how;
    await manual.advance(5_000);
    await settled();
    expect(end).toBe('waits');
    fails.monotonic = 'no';
    await manual.advance(200);
    await settled();
    expect(end).toBe('OrderOutcomeUnknownError');
  });

  it('S2: one that sets no timer costs the deadline, and never the answer to an order that was sent', async () => {
    const { clock, manual } = brittle();
    let sets = false;
    const setTimer: Clock['setTimer'] = (delayMs, fire) => {
      if (!sets) throw new Error('no timer');
      return manual.setTimer(delayMs, fire);
    };
    const calls = [openCall<string>(), openCall<string>(), openCall<string>()];
    let sent = 0;
    const gate = createShutdownGate({ clock: { ...clock, setTimer } });
    const submit = guardOrderSubmission(() => calls[sent++]?.promise, { gate, submissionTimeoutMs: 1_000 });
    const first = submit();
    calls[0]?.resolve('filled');
    expect(await first).toBe('filled');
    const second = submit();
    calls[1]?.reject(new Error('socket hang up'));
    await expect(second).rejects.toThrow('socket hang up');
    sets = true;
    const third = submit().catch((error: unknown) => (error instanceof Error ? error.name : error));
    await manual.advance(1_100);
    expect(await third).toBe('OrderOutcomeUnknownError');
  });
});
