import { describe, expect, it } from 'vitest';
import { functionSource, type HaltAnswer } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { ManualClock } from '../../src/testing/manualClock.js';

async function stateAfter(answer: () => unknown, name?: string) {
  const clock = new ManualClock();
  const source = functionSource(answer as () => HaltAnswer, name === undefined ? {} : { name });
  const killSwitch = createKillSwitch({ sources: [source], clock });
  await clock.advance(0);
  const { halted, reason } = killSwitch.state();
  await killSwitch.close();
  return [halted, reason];
}

describe('a function as a source', () => {
  it.each<[string, unknown, boolean, string | undefined]>([
    ['false', false, false, undefined],
    ['true', true, true, 'function:f says halted'],
    ['a token', ' OFF\n', false, undefined],
    ['another token', 'on', true, 'function:f says "on"'],
    ['another text', 'fine', true, 'function:f says "fine", which is not one of 0, false, no, off'],
    ['no text', '', true, 'function:f is empty'],
    ['halted false', { halted: false }, false, undefined],
    ['halted false, with a reason', { halted: false, reason: 'all well' }, false, undefined],
    ['halted true', { halted: true }, true, 'function:f says halted'],
    ['halted true, with a reason', { halted: true, reason: 'risk desk' }, true, 'function:f says risk desk'],
    ['halted true, with a reason that is none', { halted: true, reason: 7 }, true, 'function:f says halted'],
    ['halted as a text', { halted: 'false' }, true, 'function:f answered object: neither true nor false nor a text'],
    ['an empty object', {}, true, 'function:f answered object: neither true nor false nor a text'],
    ['null', null, true, 'function:f answered null: neither true nor false nor a text'],
    ['undefined', undefined, true, 'function:f answered undefined: neither true nor false nor a text'],
    ['0', 0, true, 'function:f answered number: neither true nor false nor a text'],
    ['NaN', Number.NaN, true, 'function:f answered number: neither true nor false nor a text'],
  ])('S3: answers %s, at once or later', async (_name, answer, halted, reason) => {
    expect(await stateAfter(() => answer, 'f')).toEqual([halted, reason]);
    expect(await stateAfter(async () => answer, 'f')).toEqual([halted, reason]);
  });

  it('S3: halts when it throws, rejects, or answers with something that throws when it is looked at', async () => {
    const boom = () => {
      throw new Error('boom');
    };
    expect(await stateAfter(boom, 'f')).toEqual([true, 'function:f cannot be read: boom']);
    expect(await stateAfter(async () => boom(), 'f')).toEqual([true, 'function:f cannot be read: boom']);
    const trap = Object.defineProperty({}, 'halted', { get: boom });
    expect(await stateAfter(() => trap, 'f')).toEqual([true, 'function:f cannot be read: boom']);
  });

  it('S3: an error whose message is no text is doubt like any other, and is read again', async () => {
    const clock = new ManualClock();
    let broken = true;
    const ask = () => {
      if (broken) throw Object.assign(new Error('x'), { message: Symbol('no text') });
      return false;
    };
    const killSwitch = createKillSwitch({ sources: [functionSource(ask, { name: 'f' })], clock });
    await clock.advance(0);
    expect(killSwitch.state().reason).toBe('function:f cannot be read: Symbol(no text)');
    broken = false;
    await clock.advance(100);
    expect(killSwitch.isHalted()).toBe(false);
    await killSwitch.close();
  });

  it('is called what it is called, unless it is given a name', async () => {
    const riskDesk = () => true;
    expect(await stateAfter(riskDesk)).toEqual([true, 'function:riskDesk says halted']);
    expect(await stateAfter(riskDesk, 'risk-desk')).toEqual([true, 'function:risk-desk says halted']);
    expect(functionSource(() => true)).toMatchObject({ name: 'function:anonymous', canChange: true, waits: false, tellsExits: false });
  });

  it('S3: is told when nobody waits any more, and is asked again: what hung needs no restart', async () => {
    const clock = new ManualClock();
    const signals: AbortSignal[] = [];
    let hangs = true;
    const ask = (signal: AbortSignal) => {
      signals.push(signal);
      return hangs ? new Promise<boolean>(() => undefined) : false;
    };
    const killSwitch = createKillSwitch({ sources: [functionSource(ask, { name: 'f' })], clock });
    await clock.advance(1_000);
    await killSwitch.ready;
    expect([signals.length, signals[0]?.aborted, killSwitch.state().reason]).toEqual([
      1,
      true,
      'function:f has not answered within 1000 ms',
    ]);
    hangs = false;
    await clock.advance(100);
    expect(killSwitch.isHalted()).toBe(false);
    hangs = true;
    await clock.advance(60_000);
    // It ignores its signal: four calls hang now, and a fifth would as well.
    expect([signals.length - 2, killSwitch.isHalted()]).toEqual([2 + 1, true]);
    await killSwitch.close();
  });
});
