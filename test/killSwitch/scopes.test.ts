import { describe, expect, it } from 'vitest';
import { DOUBT, HALTED, OFF, ScriptedSource, staged } from './support.js';

describe('scopes', () => {
  async function scopedStage() {
    const everyone = new ScriptedSource('everyone');
    const momentum = new ScriptedSource('momentum', OFF('momentum'), { strategy: 'momentum' });
    const second = new ScriptedSource('second', OFF('second'), { account: 'second' });
    return { ...(await staged([everyone, momentum, second])), everyone, momentum, second };
  }

  it('S3: a source for everyone halts everyone; one of a strategy or account halts its own, and whoever names none', async () => {
    const { clock, killSwitch, everyone, momentum, second } = await scopedStage();
    const views = {
      all: killSwitch,
      momentum: killSwitch.scoped({ strategy: 'momentum', account: 'first' }),
      carry: killSwitch.scoped({ strategy: 'carry', account: 'second' }),
      anyOfFirst: killSwitch.scoped({ account: 'first' }),
    };
    const halted = () => Object.entries(views).flatMap(([name, view]) => (view.isHalted() ? [name] : []));
    expect(halted()).toEqual([]);
    momentum.opinion = HALTED('momentum');
    await clock.advance(100);
    expect(halted()).toEqual(['all', 'momentum', 'anyOfFirst']);
    momentum.opinion = OFF('momentum');
    second.opinion = DOUBT('second');
    await clock.advance(100);
    expect(halted()).toEqual(['all', 'carry']);
    everyone.opinion = HALTED('everyone');
    second.opinion = OFF('second');
    await clock.advance(100);
    expect(halted()).toEqual(Object.keys(views));
    await killSwitch.close();
    expect(halted()).toEqual(Object.keys(views));
  });

  it('a view has its own state, listeners and refusals', async () => {
    const { clock, killSwitch, momentum, logged } = await scopedStage();
    const view = killSwitch.scoped({ strategy: 'carry' });
    const other = killSwitch.scoped({ strategy: 'momentum' });
    const told: string[] = [];
    view.onChange(() => told.push('carry'));
    other.onChange(() => told.push('momentum'));
    momentum.opinion = HALTED('momentum');
    await clock.advance(100);
    expect(told).toEqual(['momentum']);
    expect(view.state().sources.map(({ name }) => name)).toEqual(['everyone', 'second']);
    expect(other.check(clock.monotonicMs(), 'increase')).toMatchObject({ reason: 'momentum says "1"' });
    expect(logged.at(-1)).toEqual({
      level: 'warn',
      details: { strategy: 'momentum', source: 'momentum', reason: 'momentum says "1"' },
      message: 'the kill switch halts',
    });
    await killSwitch.close();
  });

  it('the same scope is the same object, so that asking for one per order costs nothing', async () => {
    const { killSwitch } = await scopedStage();
    const view = killSwitch.scoped({ strategy: 'momentum', account: 'first' });
    expect(killSwitch.scoped({ account: 'first', strategy: 'momentum' })).toBe(view);
    expect(killSwitch.scoped({ strategy: 'momentum' })).not.toBe(view);
    expect(killSwitch.scoped({ account: 'momentum' })).not.toBe(killSwitch.scoped({ strategy: 'momentum' }));
    await killSwitch.close();
  });

  it('a view that is asked for later knows what has been read, lapses as well, and is closed with the switch', async () => {
    const { clock, killSwitch, everyone } = await scopedStage();
    await clock.advance(50);
    const view = killSwitch.scoped({ strategy: 'late' });
    expect([view.isHalted(), view.state().checkedAgeMs]).toEqual([false, 50]);
    everyone.hold = true;
    const told: string[] = [];
    view.onChange(({ reason }) => told.push(String(reason)));
    await clock.advance(951);
    expect(told).toEqual(['everyone is stale: it was last read 1001 ms ago, at most 1000 are allowed']);
    await killSwitch.close();
    expect(killSwitch.scoped({ strategy: 'after' }).state()).toMatchObject({ halted: true, reason: 'the kill switch is closed' });
  });

  it('S3: a view stays halted when a listener closes the switch in the middle of a change to off', async () => {
    const source = new ScriptedSource('a', HALTED('a'));
    const { clock, killSwitch } = await staged([source]);
    const view = killSwitch.scoped({ strategy: 's' });
    killSwitch.onChange(({ halted }) => void (halted || killSwitch.close()));
    source.opinion = OFF('a');
    await clock.advance(100);
    for (const one of [killSwitch, view]) expect(one.state()).toMatchObject({ halted: true, reason: 'the kill switch is closed' });
  });

  it('tell the log whose orders pass again', async () => {
    const { clock, killSwitch, momentum, logged } = await scopedStage();
    killSwitch.scoped({ strategy: 'momentum', account: 'first' });
    momentum.opinion = HALTED('momentum');
    await clock.advance(100);
    momentum.opinion = OFF('momentum');
    await clock.advance(100);
    expect(logged.at(-1)).toEqual({
      level: 'info',
      details: { strategy: 'momentum', account: 'first' },
      message: 'the kill switch is off',
    });
    await killSwitch.close();
  });

  it('are refused where nothing concerns them, or nothing that can change', async () => {
    const fixed = new ScriptedSource('fixed');
    fixed.canChange = false;
    const momentum = new ScriptedSource('momentum', OFF('momentum'), { strategy: 'momentum' });
    const { killSwitch } = await staged([fixed, momentum]);
    expect(() => killSwitch.scoped({ strategy: 'carry' })).toThrow(
      /^scope = .*carry.*: can never change while the process runs \(it reads fixed\)/,
    );
    expect(killSwitch.scoped({ strategy: 'momentum' }).isHalted()).toBe(false);
    await killSwitch.close();
    const permitted = await staged([fixed, momentum], { allowStatic: true });
    expect(permitted.killSwitch.scoped({ strategy: 'carry' }).isHalted()).toBe(false);
    await permitted.killSwitch.close();
    const alone = await staged([momentum]);
    expect(() => alone.killSwitch.scoped({ strategy: 'carry' })).toThrow(/^scope = .*: must concern at least one source/);
    await alone.killSwitch.close();
  });
});
