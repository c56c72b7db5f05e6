/** Several gates that one shutdown shuts and drains as if they were one. */
import { describe, expect, it } from 'vitest';
import { drainAll, grantExit, inflightOf, promiseDrain, unfinishedOf } from '../../src/process/gates.js';
import { createShutdownGate, type ShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { ExitPermit } from '../../src/shutdownGate/protocol.js';
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
  const honoured = (gates: readonly ShutdownGate[], permit: ExitPermit) => gates.map(({ protocol }) => protocol.honours(permit));
  /** As one of another install, which knows nothing of permits. */
  const foreign = (): ShutdownGate => {
    const { protocol: whole, ...face } = createShutdownGate();
    const unknown = (): never => {
      throw new TypeError('protocol.issueExitPermit is not a function');
    };
    const protocol = { ...whole, issueExitPermit: unknown, adoptExitPermit: unknown, revokeExitPermit: unknown };
    return { ...face, protocol };
  };

  it('S10: is honoured by every gate until it is revoked, and then by none', () => {
    const { gates } = stage();
    const { permit, revoke } = grantExit(gates, noFailure);
    expect(honoured(gates, permit)).toEqual([true, true]);
    revoke();
    expect(honoured(gates, permit)).toEqual([false, false]);
  });

  it.each([0, 1, 2])('S10, S13: is honoured by all others where the gate at %i cannot take it, and that is told once', (at) => {
    const { gates } = stage();
    const failures: unknown[] = [];
    const { permit, revoke } = grantExit(gates.toSpliced(at, 0, foreign()), (error) => failures.push(error));
    expect([honoured(gates, permit), failures.length]).toEqual([[true, true], 1]);
    revoke();
    expect([honoured(gates, permit), failures.length]).toEqual([[false, false], 1]);
  });

  it('S1: is honoured by nobody where no gate can take it', () => {
    const { gates } = stage();
    const failures: unknown[] = [];
    const { permit, revoke } = grantExit([foreign()], (error) => failures.push(error));
    revoke();
    expect([honoured(gates, permit), failures.length]).toEqual([[false, false], 1]);
  });
});
