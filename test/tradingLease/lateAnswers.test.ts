/** What a lease makes of answers of the bus that come late, or from a bus that went back. */
import { describe, expect, it } from 'vitest';
import { type Bus, BusDoubtError, type LatchValue } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeTradingState, TRADING_STATE } from '../../src/messages/tradingState.js';
import { halt } from '../../src/tradingState/halt.js';
import { ACTIVE, World } from './fixture.js';

const HALT = { kind: 'manual', reason: 'enough', by: 'op' } as const;
const REDUCING = { ...ACTIVE, mode: 'REDUCING' } as const;

/** A bus whose watch answers only what a test gives it, and whose reads can be held up on their way back, or fail. */
function slowBus(world: World) {
  const answers: ((value: LatchValue) => void)[] = [];
  const held: (() => void)[] = [];
  const slow = { isHolding: false, failure: undefined as Error | undefined };
  const bus: Bus = {
    ...world.link.bus,
    latch: (key) => {
      const latch = world.link.bus.latch(key);
      const get = async () => {
        const value = await latch.get();
        if (slow.failure !== undefined) throw slow.failure;
        if (slow.isHolding) await new Promise<void>((resolve) => held.push(resolve));
        return value;
      };
      const watch: typeof latch.watch = (_version, { signal }) =>
        new Promise((resolve) => {
          answers.push(resolve);
          signal?.addEventListener('abort', () => resolve({ version: 0, fields: {}, sentMs: world.clock.monotonicMs() }), { once: true });
        });
      return { ...latch, get, watch };
    },
  };
  const state = () => world.bus.latch(TRADING_STATE).get();
  return {
    bus,
    slow,
    state,
    /** What the waiting watch answers now. */
    answer: async (value: LatchValue) => {
      answers.pop()?.(value);
      await world.clock.advance(0);
    },
    release: async () => {
      slow.isHolding = false;
      for (const resume of held.splice(0)) resume();
      await world.clock.advance(0);
    },
  };
}

describe('a lease', () => {
  it('S3: takes nothing back for a watch that answers late with an older state', async () => {
    const world = new World();
    const { bus, state, answer } = slowBus(world);
    const lease = await world.held({ bus });
    const before = await state();
    await world.set(REDUCING);
    await world.clock.advance(200);
    expect(world.refusal(lease)).toBe('trading_reducing');
    await answer(before);
    expect(world.refusal(lease)).toBe('trading_reducing');
    await world.end(lease);
  });

  it('S3: takes nothing back for a read that was sent before it heard of the change', async () => {
    const world = new World();
    const { bus, slow, state, answer, release } = slowBus(world);
    const lease = await world.held({ bus });
    slow.isHolding = true;
    await world.clock.advance(200);
    await world.set(REDUCING);
    await answer(await state());
    expect(world.refusal(lease)).toBe('trading_reducing');
    await release();
    expect(world.refusal(lease)).toBe('trading_reducing');
    await world.end(lease);
  });

  it('L3: obeys what a watch tells at once, be it a new halt, a new epoch, or an older halt of a bus that went back', async () => {
    for (const change of ['halt', 'epoch', 'older'] as const) {
      const world = new World();
      await halt(world.bus, HALT, { clock: world.clock });
      const older = await world.bus.latch(TRADING_STATE).get();
      const { bus, state, answer } = slowBus(world);
      const lease = await world.held({ bus });
      expect(world.refusal(lease)).toBeUndefined();
      if (change === 'halt') await halt(world.bus, HALT, { clock: world.clock });
      if (change === 'epoch') await world.set({ ...ACTIVE, epoch: 2 });
      await answer(change === 'older' ? older : await state());
      expect(world.refusal(lease), change).toBe(change === 'epoch' ? 'lease_missing' : 'trading_halted');
      await world.end(lease);
    }
  });

  it('S7: registers and attests again on a bus that was emptied, though it says that it is the same', async () => {
    const world = new World();
    const { identity } = await okProbe(world);
    const bus: Bus = { ...world.link.bus, probe: async () => ({ ...(await okProbe(world)), identity }) };
    await world.set(REDUCING);
    const lease = await world.held({ bus });
    const other = createMemoryBus({ clock: world.clock, random: world.random.fork('other') }).handle();
    await other.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    world.bus = other;
    world.link.target = other;
    await world.clock.advance(500);
    const events = (await world.reports(other)).map(({ event }) => event);
    expect(events.slice(0, 2)).toEqual(['registered', 'attested']);
    await world.end(lease);
  });

  it('S3: is halted by the first read that finds the state in doubt, before its renewal has lapsed', async () => {
    const world = new World();
    const { bus, slow } = slowBus(world);
    const lease = await world.held({ bus });
    slow.failure = new BusDoubtError('half of it is missing');
    await world.clock.advance(200);
    expect(lease.check(world.clock.monotonicMs(), 'increase')).toMatchObject({ code: 'trading_halted', reason: 'half of it is missing' });
    slow.failure = undefined;
    await world.end(lease);
  });

  it('S8: does not count a renewal again that was ended by a step of the clock, once the clock has been stepped back', async () => {
    const world = new World();
    const lease = await world.held();
    const diverged = () => lease.state().kind === 'suspended';
    world.clock.stepWall(60_000);
    await world.clock.advance(200);
    expect(diverged()).toBe(true);
    world.clock.stepWall(-60_000);
    expect(world.refusal(lease)).toBe('lease_expired');
    await world.clock.advance(1_500);
    expect(world.refusal(lease)).toBeUndefined();
    await world.end(lease);
  });
});

async function okProbe(world: World) {
  const probe = await world.link.bus.probe();
  if (!probe.ok) throw new Error(probe.detail);
  return probe;
}
