import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeTradingState, TRADING_STATE } from '../../src/messages/tradingState.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { ACTIVE, World } from './fixture.js';

describe('a bus that forgets', () => {
  it('S7: a holder adds a halt again that another server has not seen, and never trades on that server meanwhile', async () => {
    const world = new World();
    const lease = await world.held();
    await halt(world.bus, { kind: 'manual', reason: 'stop', by: 'operator', id: 'h1' }, { clock: world.clock });
    await world.clock.advance(300);
    const other = createMemoryBus({ clock: world.clock, random: world.random.fork('other') }).handle();
    await other.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    world.bus = other;
    world.link.target = other;
    for (let waitedMs = 0; waitedMs < 3_000; waitedMs += 25) {
      await world.clock.advance(25);
      expect(world.refusal(lease)).toBe('trading_halted');
    }
    expect((await readTradingState(other)).state.halts).toMatchObject([{ id: 'h1' }]);
    expect((await world.reports(other)).map(({ event }) => event)).toContain('registered');
    await world.end(lease);
  });

  it('S1, S7: a server that has not seen the halt, and cannot be written to yet, resumes nothing under the renewal from before', async () => {
    const world = new World();
    const lease = await world.held();
    await halt(world.bus, { kind: 'manual', reason: 'stop', by: 'operator', id: 'h1' }, { clock: world.clock });
    await world.clock.advance(5);
    expect(world.refusal(lease)).toBe('trading_halted');
    const other = createMemoryBus({ clock: world.clock, random: world.random.fork('other') }).handle();
    await other.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    world.link.target = other;
    world.link.bus.probe = async () => ({ ok: false, detail: 'read only' });
    for (let waitedMs = 0; waitedMs < 1_000; waitedMs += 5) {
      await world.clock.advance(5);
      expect([waitedMs, world.refusal(lease)]).toEqual([waitedMs, 'trading_halted']);
    }
    await world.end(lease);
  });

  it('S7: an epoch that went back is halted, and raised again', async () => {
    const world = new World();
    await world.set({ ...ACTIVE, epoch: 5 });
    world.startPeers();
    const lease = world.lease();
    await world.clock.advance(1_000);
    expect(world.refusal(lease)).toBeUndefined();
    await world.set({ ...ACTIVE, epoch: 4 });
    await world.clock.advance(500);
    const { state } = await readTradingState(world.bus);
    expect(state).toMatchObject({ mode: 'HALTED', epoch: 5, halts: [{ kind: 'doubt' }] });
    expect(world.refusal(lease)).toBe('trading_halted');
    await world.end(lease);
  });

  it('S7: a server that holds the same state is stood on only after registering and attesting there', async () => {
    const world = new World();
    const lease = await world.held();
    const other = createMemoryBus({ clock: world.clock, random: world.random.fork('other') }).handle();
    await other.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    world.bus = other;
    world.link.target = other;
    await world.clock.advance(2_000);
    expect(world.refusal(lease)).toBeUndefined();
    const events = (await world.reports(other)).map(({ event }) => event).filter((event) => event === 'registered' || event === 'attested');
    expect(events).toEqual(['registered', 'attested']);
    await world.end(lease);
  });
});
