import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { busSource, opinionOfState } from '../../src/killSwitch/busSource.js';
import { createKillSwitch, type KillSwitch } from '../../src/killSwitch/killSwitch.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { ACTIVE, World } from '../tradingLease/fixture.js';
import { recordingLogger } from './support.js';

interface BusStage {
  readonly world: World;
  readonly killSwitch: KillSwitch;
  readonly logged: { level: string; details: object; message: string }[];
}

async function onBus(state: TradingState | undefined = ACTIVE, options?: Parameters<typeof busSource>[1]): Promise<BusStage> {
  const world = new World();
  const logged: BusStage['logged'] = [];
  if (state !== undefined) await world.set(state);
  const { clock, link } = world;
  const killSwitch = createKillSwitch({ sources: [busSource(link.bus, options)], clock, logger: recordingLogger(logged) });
  await clock.advance(0);
  return { world, killSwitch, logged };
}

async function end({ world, killSwitch }: BusStage): Promise<void> {
  const closed = killSwitch.close();
  await world.clock.advance(5_000);
  await closed;
}

const MANUAL = { id: 'h1', kind: 'manual', by: 'operator', reason: 'look first', sinceWallMs: 3 } as const;
const EXIT = { id: 'h2', kind: 'exit', by: 'worker', reason: 'brain dead', sinceWallMs: 4, incident: 'default@1' } as const;

describe('what a trading state says', () => {
  it.each<[string, TradingState, object]>([
    ['ACTIVE', ACTIVE, { says: 'off', from: 'bus:x' }],
    ['never armed', NEVER_ARMED, { says: 'halted', from: 'bus:x', reason: 'says that trading is HALTED (set by nobody)' }],
    [
      'REDUCING',
      { ...ACTIVE, mode: 'REDUCING' },
      { says: 'halted', from: 'bus:x', reason: 'says that trading is REDUCING (set by operator)' },
    ],
    [
      'halted by somebody',
      { ...ACTIVE, mode: 'HALTED', halts: [MANUAL] },
      { says: 'halted', from: 'bus:x', reason: 'says that trading is HALTED (operator: look first)' },
    ],
    [
      'halted by an exit too',
      { ...ACTIVE, mode: 'HALTED', halts: [MANUAL, EXIT] },
      {
        says: 'halted',
        from: 'bus:x',
        reason: 'says that trading is HALTED (operator: look first)',
        exit: { reason: 'brain dead', sinceWallMs: 4 },
      },
    ],
  ])('S3: %s', (_name, state, expected) => {
    expect(opinionOfState(state, 'bus:x')).toEqual(expected);
  });

  it('S3: a mode that this version does not know halts', () => {
    expect(opinionOfState({ ...ACTIVE, mode: 'SHADOW' as 'ACTIVE' }, 'bus:x').says).toBe('halted');
  });
});

describe('a bus as a source', () => {
  it('S3: a bus on which nobody has armed trading halts', async () => {
    const stage = await onBus(NEVER_ARMED);
    expect(stage.killSwitch.state()).toMatchObject({ halted: true, source: 'bus:memory:' });
    await end(stage);
    const empty = createKillSwitch({ sources: [busSource(createMemoryBus().handle())] });
    await empty.ready;
    expect(empty.state().reason).toBe('bus:memory: says that trading is HALTED (set by nobody)');
    await empty.close();
  });

  it('L3: a halt is refused as soon as it stands there, without a poll; a re-arm is followed as well', async () => {
    const stage = await onBus();
    const { world, killSwitch } = stage;
    await world.clock.advance(10_000);
    expect(killSwitch.isHalted()).toBe(false);
    await halt(world.bus, { kind: 'manual', reason: 'look first', by: 'operator' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(killSwitch.check(world.clock.monotonicMs(), 'increase')).toMatchObject({
      code: 'kill_switch_enabled',
      reason: 'bus:memory: says that trading is HALTED (operator: look first)',
    });
    await world.set({ ...ACTIVE, epoch: 2 });
    await world.clock.advance(0);
    expect(killSwitch.isHalted()).toBe(false);
    await end(stage);
  });

  it('S3: a cut halts at once, and the way back needs no restart', async () => {
    const stage = await onBus();
    const { world, killSwitch } = stage;
    world.link.cut = true;
    await world.clock.advance(250);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'bus:memory: cannot be read: the network is cut' });
    await world.clock.advance(30_000);
    world.link.cut = false;
    await world.clock.advance(100);
    expect(killSwitch.isHalted()).toBe(false);
    await end(stage);
  });

  it('S3: a state that cannot be understood halts', async () => {
    const stage = await onBus();
    const { world, killSwitch } = stage;
    world.memory.spoilLatch(TRADING_STATE);
    await world.clock.advance(0);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: expect.stringContaining('cannot be understood') as unknown });
    await end(stage);
    const malformed = await onBus();
    const latch = malformed.world.bus.latch(TRADING_STATE);
    const { version } = await latch.get();
    await latch.compareAndSet(version, { ...encodeTradingState(ACTIVE), mode: 'active' });
    await malformed.world.clock.advance(0);
    expect(malformed.killSwitch.state()).toMatchObject({
      halted: true,
      reason: expect.stringContaining('cannot be understood') as unknown,
    });
    await end(malformed);
  });

  it('L4: a bus that answers nothing any more halts within maxStalenessMs', async () => {
    const stage = await onBus();
    const { world, killSwitch } = stage;
    const frozen = {
      ...world.link.target,
      latch: () => ({ ...world.link.target.latch(TRADING_STATE), watch: () => new Promise<never>(() => undefined) }),
    };
    world.link.target = frozen;
    await world.clock.advance(1_001);
    expect(killSwitch.isHalted()).toBe(true);
    await end(stage);
  });

  it('waits for a change at the bus, no longer than a quarter of maxStalenessMs', async () => {
    for (const [maxStalenessMs, blockMs] of [
      [60_000, 15_000],
      [1_000, 250],
      [400, 100],
    ] as const) {
      const world = new World();
      await world.set(ACTIVE);
      const asked: unknown[] = [];
      const latch = world.bus.latch(TRADING_STATE);
      const bus = {
        ...world.link.bus,
        latch: () => ({
          ...latch,
          watch: (version: number, options: Parameters<typeof latch.watch>[1]) => {
            asked.push([version, options.blockMs, options.signal instanceof AbortSignal]);
            return latch.watch(version, options);
          },
        }),
      };
      const killSwitch = createKillSwitch({ sources: [busSource(bus)], clock: world.clock, maxStalenessMs });
      await world.clock.advance(blockMs);
      expect(asked.slice(0, 3)).toEqual([
        [-1, blockMs, true],
        [1, blockMs, true],
        [1, blockMs, true],
      ]);
      expect(asked).toHaveLength(3);
      await killSwitch.close();
      await world.clock.advance(1_000);
    }
  });

  it('a bus that answers at once, against its contract, does not spin it', async () => {
    const world = new World();
    await world.set(ACTIVE);
    let asked = 0;
    const latch = world.bus.latch(TRADING_STATE);
    const bus = {
      ...world.link.bus,
      latch: () => ({
        ...latch,
        watch: () => {
          asked += 1;
          return latch.get();
        },
      }),
    };
    const killSwitch = createKillSwitch({ sources: [busSource(bus)], clock: world.clock });
    await world.clock.advance(100);
    expect([killSwitch.isHalted(), asked > 90, asked < 110]).toEqual([false, true, true]);
    await killSwitch.close();
  });

  it('S10: cancels always pass; a reduction passes a halt, but neither an exit nor a doubt', async () => {
    const stage = await onBus({ ...ACTIVE, mode: 'HALTED', halts: [MANUAL] });
    const { world, killSwitch } = stage;
    const codes = () =>
      (['increase', 'reduce', 'cancel'] as const).map((intent) => killSwitch.check(world.clock.monotonicMs(), intent)?.code);
    expect(codes()).toEqual(['kill_switch_enabled', undefined, undefined]);
    await world.set({ ...ACTIVE, mode: 'HALTED', halts: [MANUAL, EXIT] });
    await world.clock.advance(0);
    expect(codes()).toEqual(['kill_switch_enabled', 'exit_in_progress', undefined]);
    world.link.cut = true;
    await world.clock.advance(250);
    expect(codes()).toEqual(['kill_switch_enabled', 'kill_switch_enabled', undefined]);
    await end(stage);
    expect(codes()).toEqual(['kill_switch_enabled', 'kill_switch_enabled', undefined]);
  });

  it('S10: where the venue itself enforces reduce-only a reduction passes all of that', async () => {
    const stage = await onBus({ ...ACTIVE, mode: 'HALTED', halts: [MANUAL, EXIT] }, { venueEnforcesReduceOnly: true });
    const { world, killSwitch } = stage;
    const reduce = () => killSwitch.check(world.clock.monotonicMs(), 'reduce');
    expect(reduce()).toBeUndefined();
    world.link.cut = true;
    await world.clock.advance(2_000);
    expect([reduce(), killSwitch.isHalted()]).toEqual([undefined, true]);
    await end(stage);
  });

  it('S7: a server that has not seen the halt resumes nothing: it is added there again, and a re-arm clears it', async () => {
    const stage = await onBus();
    const { world, killSwitch, logged } = stage;
    await halt(world.bus, { kind: 'manual', reason: 'stop', by: 'operator', id: 'h1' }, { clock: world.clock });
    await world.clock.advance(0);
    const other = createMemoryBus({ clock: world.clock, random: world.random.fork('other') }).handle();
    await other.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    world.link.target = other;
    for (let waitedMs = 0; waitedMs < 3_000; waitedMs += 25) {
      await world.clock.advance(25);
      expect(killSwitch.isHalted()).toBe(true);
    }
    expect((await readTradingState(other)).state).toMatchObject({ mode: 'HALTED', epoch: 1, halts: [{ id: 'h1' }] });
    expect(logged.filter(({ message }) => message === 'the bus had forgotten a halt or an epoch')).toMatchObject([
      { level: 'error', details: { outcome: { outcome: 'reasserted', halts: ['h1'] } } },
    ]);
    const { version } = await other.latch(TRADING_STATE).get();
    await other.latch(TRADING_STATE).compareAndSet(version, encodeTradingState({ ...ACTIVE, epoch: 2 }));
    await world.clock.advance(0);
    expect(killSwitch.isHalted()).toBe(false);
    await end(stage);
  });

  it('S7: while what was forgotten cannot be added again it stays in doubt, says so, and goes on trying', async () => {
    const stage = await onBus({ ...ACTIVE, epoch: 5 });
    const { world, killSwitch, logged } = stage;
    const stuck = world.memory.handle();
    const refusing = {
      url: stuck.url,
      latch: () => ({
        get: () => stuck.latch(TRADING_STATE).get(),
        watch: (version: number, options: object) => stuck.latch(TRADING_STATE).watch(version, options),
        compareAndSet: async () => ({ outcome: 'refused', reason: 'read_only', detail: 'a replica' }) as const,
      }),
      append: async () => ({ outcome: 'unknown', detail: 'a replica' }) as const,
    };
    world.link.target = Object.assign(Object.create(stuck) as typeof stuck, refusing);
    await world.set({ ...ACTIVE, epoch: 4 });
    await world.clock.advance(3_000);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'bus:memory: has forgotten a halt or an epoch that was seen there' });
    const failures = logged.filter(({ message }) => message === 'the bus had forgotten a halt or an epoch');
    expect(failures.length).toBeGreaterThanOrEqual(2);
    expect(failures.length).toBeLessThanOrEqual(4);
    await end(stage);
  });

  it('S7: a server that is epochs behind is halted there, by the kill switch in its own name', async () => {
    const stage = await onBus({ ...ACTIVE, epoch: 5 });
    const { world, killSwitch } = stage;
    const behind = createMemoryBus({ clock: world.clock, random: world.random.fork('behind') }).handle();
    await behind.latch(TRADING_STATE).compareAndSet(0, encodeTradingState({ ...ACTIVE, epoch: 4 }));
    world.link.target = behind;
    await world.clock.advance(1_000);
    const sinceWallMs = expect.closeTo(world.clock.wallMs(), -4) as number;
    expect((await readTradingState(behind)).state).toMatchObject({
      mode: 'HALTED',
      epoch: 5,
      halts: [{ id: 'forgotten-epoch/5/4', kind: 'doubt', by: 'kill_switch', sinceWallMs }],
    });
    expect(killSwitch.isHalted()).toBe(true);
    await end(stage);
  });

  it('S3: what cannot be added again because the clock fails halts, ends no process, and is tried again', async () => {
    const world = new World();
    await world.set({ ...ACTIVE, epoch: 5 });
    const logged: BusStage['logged'] = [];
    const clock = {
      monotonicMs: () => world.clock.monotonicMs(),
      wallMs: () => world.clock.wallMs(),
      setTimer: world.clock.setTimer.bind(world.clock),
      sleep: () => Promise.reject(new Error('no clock')),
    };
    const killSwitch = createKillSwitch({ sources: [busSource(world.link.bus)], clock, logger: recordingLogger(logged) });
    await world.clock.advance(0);
    const handle = world.memory.handle();
    const refusing = {
      get: () => handle.latch(TRADING_STATE).get(),
      watch: (version: number, options: object) => handle.latch(TRADING_STATE).watch(version, options),
      compareAndSet: async () => ({ outcome: 'refused', reason: 'read_only', detail: 'a replica' }) as const,
    };
    world.link.target = Object.assign(Object.create(handle) as typeof handle, { latch: () => refusing });
    await world.set({ ...ACTIVE, epoch: 4 });
    await world.clock.advance(1_000);
    expect(killSwitch.isHalted()).toBe(true);
    const failures = logged.filter(({ message }) => message === 'halts not reasserted');
    expect(failures.length).toBeGreaterThan(1);
    expect(failures[0]).toEqual({ level: 'error', details: { problem: 'no clock' }, message: 'halts not reasserted' });
    await killSwitch.close();
  });

  it('leaves the bus to its owner', async () => {
    const world = new World();
    await world.set(ACTIVE);
    const killSwitch = createKillSwitch({ sources: [busSource(world.bus)], clock: world.clock });
    await world.clock.advance(0);
    await killSwitch.close();
    expect((await readTradingState(world.bus)).state.mode).toBe('ACTIVE');
    expect(busSource(world.bus)).toMatchObject({ name: 'bus:memory:', canChange: true, waits: true, tellsExits: true });
  });
});
