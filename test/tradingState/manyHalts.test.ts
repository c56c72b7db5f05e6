/** More halts than one record can hold: none that matters may be turned away for want of room. */
import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { activate, addHalt, armReducing } from '../../src/tradingState/transitions.js';

describe('many halts', () => {
  it('S6, S7: a thousand halts leave room for the halt of an exit, and none is said to hold that does not', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock }).handle();
    const deps = { clock, timeoutMs: 1_000, audit: { record: async () => ({ outcome: 'committed', id: '' }) as const } };
    await bus.latch(TRADING_STATE).compareAndSet(0, encodeTradingState({ ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE' }));
    const named: string[] = [];
    for (let index = 0; index < 1_000; index++) {
      const outcome = await halt(bus, { kind: 'breaker', reason: `"loss" of strategy ${index}: ${'é'.repeat(200)}`, by: 's' }, deps);
      expect(outcome.outcome).toBe('committed');
      named.push(outcome.haltId);
    }
    const exit = await halt(bus, { kind: 'exit', reason: 'brain dead', by: 'w', incident: 'default@1' }, deps);
    expect(exit).toMatchObject({ outcome: 'committed', haltId: 'exit/default@1' });
    const { state } = await readTradingState(bus);
    expect(state.mode).toBe('HALTED');
    const held = new Set(state.halts.map(({ id }) => id));
    expect(named.filter((id) => !held.has(id))).toEqual([]);
    expect(held.has('exit/default@1')).toBe(true);
    expect(held.size).toBeLessThan(200);
  });

  it('S7: a halt that is kept together with others still keeps trading from being armed until it is named', () => {
    let state = { ...NEVER_ARMED, epoch: 1 };
    for (let index = 0; index < 1_000; index++) {
      state = addHalt(state, { id: `h${index}`, kind: 'manual', by: 'op', reason: 'r'.repeat(300), sinceWallMs: index });
    }
    const own = state.halts.filter(({ id }) => id.startsWith('h')).map(({ id }) => id);
    const armament = { accounts: [], services: [], by: 'op', wallMs: 1 };
    expect(activate(armReducing(state, { ...armament, clears: own }), 'op', 1).mode).toBe('HALTED');
    expect(activate(armReducing(state, { ...armament, clears: state.halts.map(({ id }) => id) }), 'op', 1).mode).toBe('ACTIVE');
  });
});
