import { describe, expect, it } from 'vitest';
import { halt } from '../../src/tradingState/halt.js';
import { World } from '../tradingLease/fixture.js';

describe('trap 41: a halted strategy sells while the exit worker sells', () => {
  it('S10: the verified sell of a halted strategy is refused exit_in_progress while an exit is under way; cancels pass', async () => {
    const world = new World();
    const lease = await world.held();
    await halt(world.bus, { kind: 'manual', reason: 'look first', by: 'operator' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease, 'reduce')).toBe('exit_in_progress');
    expect(world.refusal(lease, 'increase')).toBe('trading_halted');
    expect(world.refusal(lease, 'cancel')).toBeUndefined();
    await world.end(lease);
  });

  it('S10: it passes where the venue itself keeps a reduction from flipping a position', async () => {
    const world = new World();
    const lease = await world.held({ venueEnforcesReduceOnly: true });
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    expect(world.refusal(lease, 'increase')).toBe('trading_halted');
    await world.end(lease);
  });
});
