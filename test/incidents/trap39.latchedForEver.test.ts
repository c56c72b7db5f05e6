import { describe, expect, it } from 'vitest';
import { halt } from '../../src/tradingState/halt.js';
import { ACTIVE } from '../tradingLease/fixture.js';
import { RearmWorld } from '../tradingState/fixture.js';

describe('trap 39: latched for ever with no way back, or a reset that does not say what it does', () => {
  it('S7: every kind of halt has a way back that says beforehand what it will and will not do', async () => {
    for (const kind of ['manual', 'breaker', 'exit', 'doubt'] as const) {
      const world = new RearmWorld();
      await world.set(ACTIVE);
      world.startAll();
      await halt(world.bus, { kind, reason: 'stop', by: 'op', id: 'h1' }, { clock: world.clock });
      const said: string[] = [];
      let modeWhenSaid: Promise<string> | undefined;
      const announce = (_plan: unknown, text: string) => {
        said.push(text);
        modeWhenSaid = world.state().then(({ mode }) => mode);
        throw new Error('a printer of no importance');
      };
      expect(await world.rearm({ clears: ['h1'] }, { announce })).toMatchObject({ epoch: 2 });
      expect(await modeWhenSaid).toBe('HALTED');
      expect(said).toHaveLength(1);
      for (const words of ['It will\n', 'clear these halts: h1', 'It will not\n', 'send, cancel or close any order'])
        expect(said[0]).toContain(words);
    }
  });
});
