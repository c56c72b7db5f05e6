/** Several gates that one shutdown shuts and drains as if they were one. */
import { describe, expect, it } from 'vitest';
import { drainAll, grantExit, inflightOf, promiseDrain, unfinishedOf } from '../../src/process/gates.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';

function stage() {
  const clock = new ManualClock();
  const gates = [createShutdownGate({ clock }), createShutdownGate({ clock })];
  const hanging = (index: number, label: string, brokerTimeoutMs?: number) => {
    const gate = gates[index];
    if (gate === undefined) throw new Error('no such gate');
    const options = { gate, label: () => label, ...(brokerTimeoutMs === undefined ? {} : { brokerTimeoutMs }) };
    return guardOrderSubmission(() => new Promise<void>(() => {}), options);
  };
  return { clock, gates, hanging };
}

const noFailure = (error: unknown): never => {
  throw error;
};

describe('gates that are drained together', () => {
  it('S2: are drained each on its own: one that cannot be is told of, and not taken for drained', async () => {
    const { gates } = stage();
    const broken = {
      ...createShutdownGate(),
      waitForInflightZero: () => {
        throw new Error('gone');
      },
    };
    const failures: unknown[] = [];
    expect(await drainAll([broken, ...gates], 100, (error) => failures.push(error))).toMatchObject({ drained: false, waitedMs: 0 });
    expect(failures).toEqual([new Error('gone')]);
  });

  it('S2: are drained when each of them is, and tell what any of them left', async () => {
    const { clock, gates, hanging } = stage();
    expect([inflightOf(gates), unfinishedOf(gates)]).toEqual([0, []]);
    expect(await drainAll(gates, 100, noFailure)).toEqual({ drained: true, waitedMs: 0, unfinished: [], inflightElsewhere: 0 });
    void hanging(1, 'second')();
    expect([inflightOf(gates), unfinishedOf(gates).map(({ label }) => label)]).toEqual([1, ['second']]);
    const draining = drainAll(gates, 100, noFailure);
    await clock.advance(100);
    expect(await draining).toMatchObject({ drained: false, waitedMs: 100, unfinished: [{ label: 'second' }] });
    void hanging(0, 'first')();
    expect(inflightOf(gates)).toBe(2);
    expect(unfinishedOf(gates).map(({ label }) => label)).toEqual(['first', 'second']);
  });

  it('tell the orders of other threads of all of them together', async () => {
    const elsewhere = (inflightElsewhere: number) => {
      const gate = createShutdownGate();
      return {
        ...gate,
        waitForInflightZero: async () => ({ drained: true, waitedMs: inflightElsewhere, unfinished: [], inflightElsewhere }),
      };
    };
    const gates = [elsewhere(2), elsewhere(5), elsewhere(1)];
    expect(await drainAll(gates, 10, noFailure)).toEqual({ drained: true, waitedMs: 5, unfinished: [], inflightElsewhere: 8 });
  });
});

describe('a drain that is promised to gates', () => {
  it('L5: is promised to all or to none: those before the one that refuses go back to what held', () => {
    const { gates, hanging } = stage();
    hanging(1, 'slow', 5_000);
    promiseDrain(gates, 8_000, undefined);
    expect(() => promiseDrain(gates, 5_400, 8_000)).toThrow('drainTimeoutMs = 5400');
    // The first would have taken 5,400: it has gone back to 8,000.
    expect(() => hanging(0, 'slower', 7_500)).not.toThrow();
    expect(() => hanging(0, 'slowest', 7_501)).toThrow('brokerTimeoutMs = 7501');
  });
});

describe('a permit to exit', () => {
  it('S10: is honoured by every gate until it is revoked, and then by none', () => {
    const { gates } = stage();
    const honoured = (permit: Parameters<(typeof gates)[0]['protocol']['honours']>[0]) =>
      gates.map(({ protocol }) => protocol.honours(permit));
    const { permit, revoke } = grantExit(gates);
    expect(honoured(permit)).toEqual([true, true]);
    revoke();
    expect(honoured(permit)).toEqual([false, false]);
    expect(() => grantExit([])).toThrow('no gate could honour the permit');
  });
});
