import { describe, expect, it } from 'vitest';
import { DOUBT, HALTED, OFF, ScriptedSource, staged } from './support.js';

describe('listeners', () => {
  it('hear of each change of the answer or of its cause, once, until they stop', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch, logged } = await staged([source]);
    const told: unknown[] = [];
    const stop = killSwitch.onChange(({ halted, reason }) => told.push([halted, reason]));
    const step = async (make: (from: string) => ReturnType<typeof OFF>) => {
      source.opinion = make('a');
      await clock.advance(100);
    };
    await step(OFF);
    await step(HALTED);
    await step(HALTED);
    await step(DOUBT);
    await step(OFF);
    stop();
    await step(HALTED);
    expect(told).toEqual([
      [true, 'a says "1"'],
      [true, 'a is empty'],
      [false, undefined],
    ]);
    expect(logged.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn the kill switch halts',
      'info the kill switch is off',
      'warn the kill switch halts',
      'warn the kill switch halts',
      'info the kill switch is off',
      'warn the kill switch halts',
    ]);
    expect(logged[0]?.details).toEqual({ source: 'a', reason: 'a has not been read yet' });
    await killSwitch.close();
  });

  it('a change of the source alone is a change', async () => {
    const source = new ScriptedSource('a', { says: 'halted', from: 'a', reason: 'b c' });
    const { clock, killSwitch } = await staged([source]);
    const told: string[] = [];
    killSwitch.onChange((state) => told.push(`${state.source}/${state.reason}`));
    source.opinion = { says: 'halted', from: 'a b', reason: 'c' };
    await clock.advance(100);
    expect(told).toEqual(['a b/a b c']);
    await killSwitch.close();
  });

  it('S13: one that takes another’s place at each change is told once a change, and one that was stopped meanwhile not at all', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    let told = 0;
    let stop = killSwitch.onChange(function again() {
      told += 1;
      stop();
      if (told < 1_000) stop = killSwitch.onChange(again);
      stopOther();
    });
    let toldOther = 0;
    const stopOther = killSwitch.onChange(() => {
      toldOther += 1;
    });
    source.opinion = HALTED('a');
    await clock.advance(100);
    expect([told, toldOther]).toEqual([1, 0]);
    source.opinion = OFF('a');
    await clock.advance(100);
    expect([told, toldOther]).toEqual([2, 0]);
    await killSwitch.close();
  });

  it('stop with their scope', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    const told: boolean[] = [];
    {
      using off = killSwitch.onChange(({ halted }) => told.push(halted));
      expect(off).toBeTypeOf('function');
      source.opinion = HALTED('a');
      await clock.advance(100);
    }
    source.opinion = OFF('a');
    await clock.advance(100);
    expect(told).toEqual([true]);
    await killSwitch.close();
  });

  it('S13: one that throws, rejects, closes the switch or is added twice changes no result, and a logger neither', async () => {
    const source = new ScriptedSource('a');
    const broken = () => {
      throw new Error('log');
    };
    const { clock, killSwitch } = await staged([source], { logger: { debug: broken, info: broken, warn: broken, error: broken } });
    let told = 0;
    const count = () => {
      told += 1;
    };
    killSwitch.onChange(() => {
      throw new Error('listener');
    });
    const rejecting: () => unknown = () => Promise.reject(new Error('listener'));
    killSwitch.onChange(rejecting);
    const stopOne = killSwitch.onChange(count);
    killSwitch.onChange(count);
    source.opinion = HALTED('a');
    await clock.advance(100);
    expect([killSwitch.isHalted(), told]).toEqual([true, 2]);
    stopOne();
    source.opinion = OFF('a');
    await clock.advance(100);
    expect([killSwitch.isHalted(), told]).toEqual([false, 3]);
    killSwitch.onChange(() => void killSwitch.close());
    source.opinion = HALTED('a');
    await clock.advance(100);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'the kill switch is closed' });
  });
});
