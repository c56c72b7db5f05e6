import { describe, expect, it } from 'vitest';
import type { StrategyBreakers } from '../../src/breakers/face.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { type OpenCall, openCall, settled } from '../shutdownGate/support.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';
import { calm, result, scene } from './support.js';

const PROBE = { afterMs: 10_000, maxOrders: 1, maxAttempts: 2, timeoutMs: 5_000 } as const;
const CONFIG = { volatility: { threshold: 3 }, consecutiveLosses: { max: 1 }, probe: PROBE } as const;

/** Orders whose end the test decides, behind a door that hands its events on. */
async function door(config: Parameters<typeof scene>[0] = CONFIG) {
  const set = scene(config);
  const calls: OpenCall<string>[] = [];
  const send = (_id: string) => {
    const call = openCall<string>();
    calls.push(call);
    return call.promise;
  };
  const { breakers, clock } = set;
  const submit = guardOrderSubmission(send, { gate: createShutdownGate({ clock }), breakers, observe: breakers.observe });
  const end = async (index: number, value: string | Error) => {
    if (value instanceof Error) calls[index]?.reject(value);
    else calls[index]?.resolve(value);
    await settled();
  };
  const crash = async () => {
    for (const close of [...calm(38), 96, 97, 95]) await set.bar(close);
  };
  return { ...set, submit, calls, end, crash };
}

const statusOf = (breakers: StrategyBreakers): string => breakers.state().status;

describe('a half-open probe', () => {
  it('is opt-in: without it only a reset ends a trip', async () => {
    const { breakers, crash, clock, submit } = await door({ volatility: { threshold: 3 } });
    await crash();
    await clock.advance(100 * PROBE.afterMs);
    expect(submit.trySubmit('a')).toMatchObject({ ok: false });
    expect(statusOf(breakers)).toBe('tripped');
  });

  it('begins after its time, admits so many orders, and closes when all of them are acknowledged', async () => {
    const { breakers, crash, clock, submit, end } = await door({ ...CONFIG, probe: { ...PROBE, maxOrders: 2 } });
    await crash();
    expect(submit.trySubmit('early')).toMatchObject({
      ok: false,
      code: 'circuit_breaker_abnormal_volatility',
      retryAfterMs: PROBE.afterMs,
    });
    await clock.advance(PROBE.afterMs);
    expect(submit.trySubmit('first').ok).toBe(true);
    expect(submit.trySubmit('second').ok).toBe(true);
    expect(submit.trySubmit('third')).toMatchObject({ ok: false, retryAfterMs: PROBE.timeoutMs });
    await end(0, 'filled');
    expect(statusOf(breakers)).toBe('probing');
    expect(submit.trySubmit('fourth').ok).toBe(false);
    await end(1, 'filled');
    expect(statusOf(breakers)).toBe('closed');
    expect(submit.trySubmit('fifth').ok).toBe(true);
  });

  it('trap 24: refuses the overflow at once with retryAfterMs, and never sends it later', async () => {
    const { crash, clock, submit, calls, end } = await door();
    await crash();
    await clock.advance(PROBE.afterMs);
    void submit.trySubmit('probe');
    await expect(submit('priced long ago')).rejects.toMatchObject({
      code: 'circuit_breaker_abnormal_volatility',
      retryAfterMs: PROBE.timeoutMs,
    });
    await end(0, 'filled');
    expect(calls).toHaveLength(1);
  });

  it('trap 26: a late success from before the trip does not close it, nor does its failure end the probe', async () => {
    const { breakers, crash, clock, submit, end } = await door();
    expect([submit.trySubmit('before').ok, submit.trySubmit('before too').ok]).toEqual([true, true]);
    await crash();
    await clock.advance(PROBE.afterMs);
    expect(submit.trySubmit('probe').ok).toBe(true);
    await end(0, 'filled');
    await end(1, new Error('down'));
    expect(statusOf(breakers)).toBe('probing');
    await end(2, 'filled');
    expect(statusOf(breakers)).toBe('closed');
  });

  it('an order that fails ends the probe; after so many probes a person must reset', async () => {
    const { breakers, crash, clock, submit, end } = await door();
    await crash();
    for (const index of [0, 1]) {
      await clock.advance(PROBE.afterMs);
      expect(submit.trySubmit('probe').ok).toBe(true);
      await end(index, new Error('down'));
    }
    expect(statusOf(breakers)).toBe('tripped');
    await clock.advance(100 * PROBE.afterMs);
    const refused = submit.trySubmit('third');
    expect(refused.ok).toBe(false);
    expect(refused).not.toHaveProperty('retryAfterMs');
  });

  it('one that does not end in time has failed', async () => {
    const { breakers, crash, clock, submit, refusal } = await door();
    await crash();
    await clock.advance(PROBE.afterMs);
    void submit.trySubmit('probe');
    await clock.advance(PROBE.timeoutMs);
    expect(refusal()).toBeDefined();
    expect(statusOf(breakers)).toBe('cooling');
  });

  it('a trip during a probe ends it, and one that is not probed waits for a person', async () => {
    const { breakers, crash, clock, refusal } = await door();
    await crash();
    await clock.advance(PROBE.afterMs);
    refusal();
    expect(statusOf(breakers)).toBe('probing');
    breakers.recordFill(result(-1));
    expect(statusOf(breakers)).toBe('tripped');
  });

  it('is bounded also for a door that tells nothing, and then never closes', async () => {
    const { breakers, crash, clock, refusal } = await door();
    await crash();
    await clock.advance(PROBE.afterMs);
    expect(refusal()).toBeUndefined();
    expect(refusal()).toBeDefined();
    for (const afterMs of [PROBE.timeoutMs, PROBE.afterMs, PROBE.timeoutMs]) {
      await clock.advance(afterMs);
      refusal();
    }
    expect(statusOf(breakers)).toBe('tripped');
  });

  it('an order that another permission refused gives its place back', async () => {
    const { breakers, crash, clock } = await door();
    const other = {
      name: 'other',
      refuses: true,
      check: () => (other.refuses ? ({ code: 'not_reducing', source: 'other', reason: 'no' } as const) : undefined),
    };
    const submit = guardOrderSubmission((id: string) => id, {
      gate: createShutdownGate({ clock }),
      breakers,
      permissions: [other],
      observe: breakers.observe,
    });
    await crash();
    await clock.advance(PROBE.afterMs);
    expect(submit.trySubmit('refused')).toMatchObject({ ok: false, source: 'other' });
    other.refuses = false;
    expect(submit.trySubmit('probe').ok).toBe(true);
  });

  it('stays bounded where the call of its order submits another one, which somebody else refuses', async () => {
    for (const intent of ['increase', 'reduce'] as const) {
      const { breakers, crash, clock } = await door();
      await crash();
      await clock.advance(PROBE.afterMs);
      const other = {
        name: 'other',
        refuses: false,
        check: () => (other.refuses ? ({ code: 'trading_halted', source: 'other', reason: 'no' } as const) : undefined),
      };
      const sent: string[] = [];
      const send = (id: string): Promise<string> => {
        sent.push(id);
        other.refuses = true;
        const nested = id === 'first' && intent === 'increase' ? submit : reduce;
        expect(nested.trySubmit('nested').ok).toBe(false);
        other.refuses = false;
        return new Promise(() => {});
      };
      const options = { gate: createShutdownGate({ clock }), breakers, permissions: [other], observe: breakers.observe };
      const submit = guardOrderSubmission(send, options);
      const reduce = guardOrderSubmission(send, { ...options, intent: 'reduce' });
      expect(submit.trySubmit('first').ok).toBe(true);
      expect(submit.trySubmit('second').ok).toBe(false);
      expect(sent).toEqual(['first']);
    }
  });

  it('an order that is kept on disk first is asked about twice and counted once', async () => {
    const { breakers, crash, clock } = await door();
    const submit = guardOrderSubmission(async (id: string) => id, {
      gate: createShutdownGate({ clock }),
      breakers,
      observe: breakers.observe,
      intentLog: { directory: temporaryDirectory(), clientOrderId: (id) => id },
    });
    await crash();
    await clock.advance(PROBE.afterMs);
    const probe = submit('probe');
    expect(submit.trySubmit('overflow').ok).toBe(false);
    await expect(probe).resolves.toBe('probe');
    expect(statusOf(breakers)).toBe('closed');
  });
});
