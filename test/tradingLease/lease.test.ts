import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { ConfigurationError } from '../../src/errors.js';
import { TRADING_STATE } from '../../src/messages/tradingState.js';
import { createShutdownGate, type ShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { DoorOptions } from '../../src/shutdownGate/options.js';
import { createTradingLease } from '../../src/tradingLease/lease.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { ACTIVE, World } from './fixture.js';

const TTL = 750;
const LIVENESS = 500;
const STEP = 5;

describe('trading lease', () => {
  it('is held while trading is ACTIVE and everyone watches, and registers and attests before that', async () => {
    const world = new World();
    const lease = await world.held({ account: 'default', brokerTimeoutMs: 4_000 });
    await lease.ready;
    expect(lease.state().kind).toBe('held');
    const reports = await world.reports();
    expect(reports.map(({ event }) => event).filter((event) => event !== 'drained')).toEqual(['registered', 'attested']);
    expect(reports[0]).toMatchObject({ holderId: lease.holderId, account: 'default', brokerTimeoutMs: 4_000, leaseTtlMs: TTL });
    await world.clock.advance(60_000);
    expect(world.refusal(lease)).toBeUndefined();
    await world.end(lease);
  });

  it('L4: a partition makes a holder refuse on its own within ttlMs, whenever it begins', async () => {
    for (let offsetMs = 0; offsetMs < 200; offsetMs += 13) {
      const world = new World();
      const lease = await world.held();
      await world.clock.advance(offsetMs);
      world.link.cut = true;
      const tookMs = await world.untilRefused(lease, 5_000, STEP);
      expect(tookMs).toBeLessThanOrEqual(TTL + STEP);
      expect(world.refusal(lease)).toBe('lease_expired');
      expect(world.refusal(lease, 'cancel')).toBeUndefined();
      await world.end(lease);
    }
  });

  it('L4: a dead watchdog or worker makes it refuse within peerLivenessMs + ttlMs', async () => {
    for (const who of ['watchdog', 'worker'] as const) {
      for (let offsetMs = 0; offsetMs < 200; offsetMs += 41) {
        const world = new World();
        const lease = await world.held();
        await world.clock.advance(offsetMs);
        world[who].alive = false;
        const tookMs = await world.untilRefused(lease, 5_000, STEP);
        expect(tookMs).toBeLessThanOrEqual(LIVENESS + TTL + STEP);
        expect(tookMs).toBeGreaterThan(TTL - 200);
        expect(world.refusal(lease)).toBe('lease_expired');
        await world.end(lease);
      }
    }
  });

  it('L4: the stall of the holder itself does not make old beats of a dead peer look fresh', async () => {
    const world = new World();
    const lease = await world.held();
    world.worker.alive = false;
    await world.clock.stall(3_000);
    expect(world.refusal(lease)).toBe('lease_expired');
    await world.clock.advance(400);
    expect(world.refusal(lease)).toBe('lease_expired');
    await world.end(lease);
  });

  it('L3: a halt on the bus refuses at once, without waiting for a renewal', async () => {
    const world = new World();
    const lease = await world.held();
    await halt(world.bus, { kind: 'manual', reason: 'enough', by: 'operator' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(lease.check(world.clock.monotonicMs(), 'increase')).toMatchObject({ code: 'trading_halted', reason: 'operator: enough' });
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    await world.end(lease);
  });

  it('S3: refuses while the state is missing, reducing, unreadable or malformed', async () => {
    const world = new World();
    world.startPeers();
    const lease = world.lease();
    expect(world.refusal(lease)).toBe('lease_missing');
    await world.clock.advance(1_000);
    expect(world.refusal(lease)).toBe('trading_halted');
    await world.set({ ...ACTIVE, mode: 'REDUCING' });
    await world.clock.advance(300);
    expect(world.refusal(lease)).toBe('trading_reducing');
    await world.set(ACTIVE);
    await world.clock.advance(400);
    expect(world.refusal(lease)).toBeUndefined();
    const latch = world.bus.latch(TRADING_STATE);
    await latch.compareAndSet((await latch.get()).version, { schema: '1', mode: 'GO' });
    await world.clock.advance(0);
    expect(world.refusal(lease)).toBe('trading_halted');
    await world.set(ACTIVE);
    await world.clock.advance(400);
    expect(world.refusal(lease)).toBeUndefined();
    world.memory.spoilLatch(TRADING_STATE);
    await world.clock.advance(0);
    expect(world.refusal(lease)).toBe('trading_halted');
    await world.end(lease);
  });

  it('S3: a reading of the clock that is not a number, or from before the renewal, permits nothing', async () => {
    const world = new World();
    const lease = await world.held();
    expect(lease.check(Number.NaN, 'increase')?.code).toBe('lease_expired');
    expect(lease.check(12, 'increase')?.code).toBe('lease_expired');
    expect(lease.check(Number.POSITIVE_INFINITY, 'increase')?.code).toBe('lease_expired');
    await world.end(lease);
  });

  it('S3: a worker of another account, another venue or an old book does not count', async () => {
    for (const worker of [
      { account: 'other', identityMatches: true, bookAgeMs: 5 },
      { account: 'default', identityMatches: false, bookAgeMs: 5 },
      { account: 'default', identityMatches: true, bookAgeMs: 10_001 },
      { account: 'default', identityMatches: true },
    ]) {
      const world = new World();
      Object.assign(world.worker.beat, { worker });
      const lease = await world.held();
      expect(world.refusal(lease)).toBe('lease_missing');
      await world.end(lease);
    }
  });

  it('S7: a suspended lease returns by itself within suspendMaxMs, and the suspension is audited and reported', async () => {
    const world = new World();
    const lease = await world.held();
    world.link.cut = true;
    await world.clock.advance(5_000);
    expect(lease.state()).toMatchObject({ kind: 'suspended', overdue: false });
    world.link.cut = false;
    await world.clock.advance(1_000);
    expect(world.refusal(lease)).toBeUndefined();
    expect((await readTradingState(world.bus)).state.halts).toEqual([]);
    const { readAudit } = await import('../../src/audit/readAudit.js');
    const events = (await readAudit(world.bus)).entries.map(({ event }) => event);
    expect(events).toContain('lease.suspended');
    expect(events.filter((event) => event === 'lease.held')).toHaveLength(2);
    await world.end(lease);
  });

  it('S7: after suspendMaxMs it never returns by itself: it writes a halt of kind doubt', async () => {
    const world = new World();
    const lease = await world.held();
    world.link.cut = true;
    await world.clock.advance(11_500);
    world.link.cut = false;
    await world.clock.advance(1_000);
    expect(world.refusal(lease)).toBe('trading_halted');
    const { state } = await readTradingState(world.bus);
    expect(state.halts).toMatchObject([{ kind: 'doubt', id: 'lease/default/1' }]);
    await world.clock.advance(30_000);
    expect(world.refusal(lease)).toBe('trading_halted');
    await world.end(lease);
  });

  it('attests a new epoch while it may not trade yet, and trades again once that is ACTIVE', async () => {
    const world = new World();
    const lease = await world.held();
    await world.set({ ...ACTIVE, mode: 'REDUCING', epoch: 2 });
    await world.clock.advance(300);
    expect((await world.reports()).some(({ event, epoch }) => event === 'attested' && epoch === 2)).toBe(true);
    expect(world.refusal(lease)).toBe('trading_reducing');
    await world.set({ ...ACTIVE, epoch: 2 });
    await world.clock.advance(300);
    expect(world.refusal(lease)).toBeUndefined();
    await world.end(lease);
  });

  it('S5: reports drained once nothing is under way, again when unknown outcomes are resolved, and anew for each halt', async () => {
    const world = new World();
    const lease = await world.held();
    world.orders.inflight = 2;
    world.orders.unknown = 1;
    const { version } = await committed(
      halt(world.bus, { kind: 'exit', reason: 'dead', by: 'w', incident: 'default@1' }, { clock: world.clock }),
    );
    const drained = async () =>
      (await world.reports()).filter(({ event, stateVersion }) => event === 'drained' && stateVersion === version);
    await world.clock.advance(500);
    expect(await drained()).toEqual([]);
    world.orders.inflight = 0;
    await world.clock.advance(200);
    expect((await drained()).map(({ unknownOutcomes }) => unknownOutcomes)).toEqual([1]);
    world.orders.unknown = 0;
    await world.clock.advance(200);
    expect((await drained()).map(({ unknownOutcomes }) => unknownOutcomes)).toEqual([1, 0]);
    await world.clock.advance(2_000);
    expect(await drained()).toHaveLength(2);
    await world.end(lease);
    expect((await world.reports()).at(-1)?.event).toBe('released');
    expect(world.refusal(lease, 'reduce')).toBe('lease_missing');
  });

  it('S5: never says drained while it is held, and says so anew in each suspension', async () => {
    const world = new World();
    const lease = await world.held();
    const drained = async () => (await world.reports()).filter(({ event }) => event === 'drained').length;
    const before = await drained();
    for (const unknown of [1, 0]) {
      world.orders.unknown = unknown;
      await world.clock.advance(500);
    }
    expect([world.refusal(lease), await drained()]).toEqual([undefined, before]);
    for (const times of [1, 2]) {
      world.worker.alive = false;
      await world.clock.advance(2_000);
      expect([lease.state().kind, await drained()]).toEqual(['suspended', before + times]);
      world.worker.alive = true;
      await world.clock.advance(1_000);
      expect([lease.state().kind, await drained()]).toEqual(['held', before + times]);
    }
    await world.end(lease);
  });

  it('S5: without a view of its orders, or with a broken one, it never says drained', async () => {
    const broken = {
      inflight: () => {
        throw new Error('broken');
      },
      unknownOutcomes: () => 0,
    };
    for (const inflight of [broken, { inflight: () => Number.NaN, unknownOutcomes: () => 0 }]) {
      const world = new World();
      const lease = await world.held({ inflight });
      await halt(world.bus, { kind: 'manual', reason: 'x', by: 'y' }, { clock: world.clock });
      await world.clock.advance(2_000);
      await world.end(lease);
      expect((await world.reports()).map(({ event }) => event)).not.toContain('drained');
    }
  });

  it('S13: a throwing logger changes nothing', async () => {
    const world = new World();
    const loud = () => {
      throw new Error('logger');
    };
    const lease = await world.held({ logger: { debug: loud, info: loud, warn: loud, error: loud } });
    world.link.cut = true;
    await world.clock.advance(2_000);
    world.link.cut = false;
    await world.clock.advance(1_000);
    expect(world.refusal(lease)).toBeUndefined();
    await world.end(lease);
  });

  it('refuses options that cannot hold, naming field, value and bound', () => {
    const bus = createMemoryBus().handle();
    for (const [options, message] of [
      [{ ttlMs: 500, peerLivenessMs: 500 }, 'ttlMs = 500: must be above peerLivenessMs (500)'],
      [{ ttlMs: 400 }, 'ttlMs = 400: must be above peerLivenessMs (500)'],
      [{ ttlMs: 2 ** 31 }, 'ttlMs = 2147483648: must be a finite number between 1 and 2147483647'],
      [{ suspendMaxMs: 100 }, 'suspendMaxMs = 100: must be a finite number between 750 and 60000'],
      [{ brokerTimeoutMs: 0 }, 'brokerTimeoutMs = 0: must be a finite number between 1 and 600000'],
      [{ closeTimeoutMs: 2 ** 31 }, 'closeTimeoutMs = 2147483648: must be a finite number between 0 and 2147483647'],
      [{ account: 'a b' }, 'account = "a b": must be 1 to 100 letters'],
      [{ require: [] }, 'require = []: must name at least one peer'],
      [{ peerLivenessMs: Number.NaN }, 'peerLivenessMs = NaN: must be a finite number between 1 and 2147483647'],
    ] as const) {
      const make = () => createTradingLease({ bus, ...options });
      expect(make).toThrow(ConfigurationError);
      expect(make).toThrow(message);
    }
  });
});

describe('S5, L5: how long a broker call may take is one figure for the lease and the guards of its gate', () => {
  const guarded = (gate: ShutdownGate, options: Pick<DoorOptions, 'lease' | 'brokerTimeoutMs'>) =>
    guardOrderSubmission(() => 1, { gate, ...options });

  it('a lease that registers less than a guard of its gate may take is refused, and registers as much where nothing is said', async () => {
    const world = new World();
    const gate = createShutdownGate({ clock: world.clock });
    guarded(gate, { brokerTimeoutMs: 15_000 });
    expect(() => world.lease({ inflight: gate, brokerTimeoutMs: 14_999 })).toThrow(
      new ConfigurationError(
        'brokerTimeoutMs',
        14_999,
        'must be at least 15000: so long may a call take that a guard of the same gate has begun',
      ),
    );
    const lease = await world.held({ inflight: gate });
    expect((await world.reports())[0]).toMatchObject({ event: 'registered', brokerTimeoutMs: 15_000 });
    expect(lease.brokerTimeoutMs).toBe(15_000);
    await world.end(lease);
  });

  it('a guard whose call may take longer than its lease has registered is refused', async () => {
    const world = new World();
    const lease = world.lease({ brokerTimeoutMs: 4_000 });
    const gate = createShutdownGate({ clock: world.clock });
    expect(() => guarded(gate, { lease, brokerTimeoutMs: 4_001 })).toThrow(
      new ConfigurationError('brokerTimeoutMs', 4_001, 'must be at most 4000: trading_lease answers for calls of no more'),
    );
    expect(gate.status().longestBrokerTimeoutMs).toBeUndefined();
    guarded(gate, { lease, brokerTimeoutMs: 4_000 });
    await world.end(lease);
  });

  it('a guard that says nothing is held to what its lease has registered, and so is the drain', async () => {
    const world = new World();
    const lease = world.lease({ brokerTimeoutMs: 9_000 });
    const gate = createShutdownGate({ clock: world.clock });
    guarded(gate, { lease });
    expect(() => gate.protocol.promiseDrain(9_499)).toThrow('drainTimeoutMs = 9499: must be at least 9500');
    gate.protocol.promiseDrain(9_500);
    await world.end(lease);
  });

  it('S13: a guard that is made later on the same gate may take no longer, until the lease is closed', async () => {
    const world = new World();
    const gate = createShutdownGate({ clock: world.clock });
    const lease = world.lease({ inflight: gate, brokerTimeoutMs: 5_000 });
    expect(() => guarded(gate, { brokerTimeoutMs: 5_001 })).toThrow('brokerTimeoutMs = 5001: must be at most 5000: a trading lease');
    guarded(gate, { brokerTimeoutMs: 5_000 });
    await world.end(lease);
    guarded(gate, { brokerTimeoutMs: 5_001 });
    expect(gate.status().longestBrokerTimeoutMs).toBe(5_001);
  });

  it('S13: a view that throws, or answers no number, says nothing', async () => {
    const world = new World();
    const { inflight, unknownOutcomes } = world.view;
    const broken = () => {
      throw new Error('view');
    };
    for (const longestBrokerTimeoutMs of [broken, () => Number.NaN]) {
      const lease = world.lease({ inflight: { inflight, unknownOutcomes, longestBrokerTimeoutMs, limitBrokerTimeout: broken } });
      expect(lease.brokerTimeoutMs).toBe(5_000);
      await world.end(lease);
    }
  });
});

async function committed(outcome: ReturnType<typeof halt>): Promise<{ version: number }> {
  const result = await outcome;
  if (result.outcome !== 'committed') throw new Error('the halt is not committed');
  return result;
}
