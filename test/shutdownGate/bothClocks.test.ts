/** A reading of a clock costs more than all else at the door: each is read once for an order, whoever stands there. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import type { Permission } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { World } from '../tradingLease/fixture.js';

const DIVERGENCE_MS = 250;

function counting(clock: Clock) {
  const reads = { monotonic: 0, wall: 0 };
  const counted: Clock = {
    monotonicMs: () => {
      reads.monotonic += 1;
      return clock.monotonicMs();
    },
    wallMs: () => {
      reads.wall += 1;
      return clock.wallMs();
    },
    setTimer: clock.setTimer.bind(clock),
    sleep: clock.sleep.bind(clock),
  };
  return { counted, reads };
}

function asking(name: string) {
  const told: unknown[] = [];
  const permission: Permission = {
    name,
    check: (nowMs, _intent, _entryId, wallMs) => {
      told.push({ nowMs, wallMs });
      return undefined;
    },
  };
  return { told, permission };
}

describe('both clocks at the door', () => {
  it('are read once for an order, and every permission is told the same reading', () => {
    const manual = new ManualClock();
    const { counted, reads } = counting(manual);
    const [first, second, third] = [asking('a'), asking('b'), asking('c')];
    const permissions = [first.permission, second.permission, third.permission];
    const submit = guardOrderSubmission(() => 'sent', { gate: createShutdownGate({ clock: counted }), permissions });
    Object.assign(reads, { monotonic: 0, wall: 0 });
    expect(submit.trySubmit().ok).toBe(true);
    expect(reads).toEqual({ monotonic: 1, wall: 1 });
    const reading = { nowMs: manual.monotonicMs(), wallMs: manual.wallMs() };
    expect([first.told, second.told, third.told]).toEqual([[reading], [reading], [reading]]);
  });

  it('the wall clock is left alone for a cancel, and for one permission that may not want it', () => {
    const { counted, reads } = counting(new ManualClock());
    const gate = createShutdownGate({ clock: counted });
    const [first, second] = [asking('a'), asking('b')];
    const cancel = guardOrderSubmission(() => 'sent', { gate, intent: 'cancel', permissions: [first.permission, second.permission] });
    const single = guardOrderSubmission(() => 'sent', { gate, permissions: [first.permission] });
    Object.assign(reads, { monotonic: 0, wall: 0 });
    expect([cancel.trySubmit().ok, single.trySubmit().ok]).toEqual([true, true]);
    expect(reads.wall).toBe(0);
  });

  it('a wall clock that fails refuses the order', () => {
    const clock = new ManualClock();
    const failing: Clock = Object.assign(counting(clock).counted, {
      wallMs: () => {
        throw new Error('no clock');
      },
    });
    const permissions = [asking('a').permission, asking('b').permission];
    const submit = guardOrderSubmission(() => 'sent', { gate: createShutdownGate({ clock: failing }), permissions });
    expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'trading_halted', source: 'order_door' });
  });

  it('a switch judges by the reading that it is told, and by its own where it is told none', async () => {
    const manual = new ManualClock();
    const { counted, reads } = counting(manual);
    const killSwitch = createKillSwitch({ sources: [functionSource(() => false)], clock: counted });
    await manual.advance(50);
    await killSwitch.ready;
    const [nowMs, wallMs] = [manual.monotonicMs(), manual.wallMs()];
    reads.wall = 0;
    expect(killSwitch.check(nowMs, 'increase', undefined, wallMs)).toBeUndefined();
    expect(killSwitch.check(nowMs, 'increase', undefined, wallMs + DIVERGENCE_MS + 100)?.code).toBe('kill_switch_enabled');
    expect(reads.wall).toBe(0);
    expect(killSwitch.check(nowMs, 'increase')).toBeUndefined();
    manual.stepWall(DIVERGENCE_MS + 100);
    expect(killSwitch.check(nowMs, 'increase')?.code).toBe('kill_switch_enabled');
    await killSwitch.close();
  });

  it('a lease does too, for orders that add risk and for those that reduce', async () => {
    const world = new World();
    const lease = await world.held();
    const [nowMs, wallMs] = [world.clock.monotonicMs(), world.clock.wallMs()];
    for (const intent of ['increase', 'reduce'] as const) {
      expect(lease.check(nowMs, intent, undefined, wallMs)).toBeUndefined();
      expect(lease.check(nowMs, intent, undefined, wallMs + DIVERGENCE_MS + 100)?.code).toBe('lease_expired');
      expect(lease.check(nowMs, intent)).toBeUndefined();
    }
    world.clock.stepWall(DIVERGENCE_MS + 100);
    for (const intent of ['increase', 'reduce'] as const) expect(lease.check(nowMs, intent)?.code).toBe('lease_expired');
    await world.end(lease);
  });
});
