import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { envSource } from '../../src/killSwitch/envSource.js';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import type { OpenSource } from '../../src/killSwitch/source.js';
import { KILL_SWITCH_VARIABLES } from '../../src/process/environment.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { recordingLogger, ScriptedSource, staged } from './support.js';

const saved = new Map<string, string | undefined>();
beforeEach(() => {
  for (const name of KILL_SWITCH_VARIABLES) {
    saved.set(name, process.env[name]);
    delete process.env[name];
  }
});
afterEach(() => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const logged: { level: string; details: object; message: string }[] = [];
function opened(options?: Parameters<typeof envSource>[0]): OpenSource {
  logged.length = 0;
  const context = { clock: new ManualClock(), logger: recordingLogger(logged), maxStalenessMs: 1_000, changed: () => undefined };
  return envSource(options).open(context);
}

const says = (source: OpenSource) => source.read(new AbortController().signal);

describe('the environment', () => {
  it.each<[string | undefined, string | undefined, object]>([
    [undefined, undefined, { says: 'nothing', from: 'env:EXECUTION_HALTED', reason: 'is not set' }],
    ['0', undefined, { says: 'off', from: 'env:EXECUTION_HALTED' }],
    [' False ', undefined, { says: 'off', from: 'env:EXECUTION_HALTED' }],
    ['1', undefined, { says: 'halted', from: 'env:EXECUTION_HALTED', reason: 'says "1"' }],
    ['', undefined, { says: 'doubt', from: 'env:EXECUTION_HALTED', reason: 'is empty' }],
    ['y', undefined, { says: 'doubt', from: 'env:EXECUTION_HALTED', reason: 'says "y", which is not one of 0, false, no, off' }],
    [undefined, 'no', { says: 'off', from: 'env:EXEC_KILL_SWITCH' }],
    [undefined, 'yes', { says: 'halted', from: 'env:EXEC_KILL_SWITCH', reason: 'says "yes"' }],
    [undefined, '2', { says: 'doubt', from: 'env:EXEC_KILL_SWITCH', reason: 'says "2", which is not one of 0, false, no, off' }],
    ['0', 'true', { says: 'halted', from: 'env:EXEC_KILL_SWITCH', reason: 'says "true"' }],
    ['on', '0', { says: 'halted', from: 'env:EXECUTION_HALTED', reason: 'says "on"' }],
    ['0', '', { says: 'doubt', from: 'env:EXEC_KILL_SWITCH', reason: 'is empty' }],
    ['?', '1', { says: 'halted', from: 'env:EXEC_KILL_SWITCH', reason: 'says "1"' }],
    ['0', 'off', { says: 'off', from: 'env:EXECUTION_HALTED' }],
  ])('S3: EXECUTION_HALTED=%j EXEC_KILL_SWITCH=%j', (current, deprecated, expected) => {
    if (current !== undefined) process.env['EXECUTION_HALTED'] = current;
    if (deprecated !== undefined) process.env['EXEC_KILL_SWITCH'] = deprecated;
    expect(says(opened())).toEqual(expected);
  });

  it('S3: unset is no opinion, but doubt where it is required', () => {
    expect(says(opened({ required: true }))).toEqual({ says: 'doubt', from: 'env:EXECUTION_HALTED', reason: 'is required and not set' });
    process.env['EXEC_KILL_SWITCH'] = '0';
    expect(says(opened({ required: true }))).toMatchObject({ says: 'off' });
  });

  it('S7: a variable that was set and is gone resumes nothing; set again, it is what it says', () => {
    const source = opened();
    process.env['EXECUTION_HALTED'] = '1';
    expect(says(source)).toMatchObject({ says: 'halted' });
    delete process.env['EXECUTION_HALTED'];
    expect(says(source)).toEqual({ says: 'doubt', from: 'env:EXECUTION_HALTED', reason: 'was set and is gone' });
    process.env['EXECUTION_HALTED'] = '0';
    expect(says(source)).toMatchObject({ says: 'off' });
    delete process.env['EXECUTION_HALTED'];
    expect(says(source)).toMatchObject({ says: 'doubt' });
    expect(says(opened())).toMatchObject({ says: 'nothing' });
  });

  it('S3: what the process itself sets is seen at the next poll', async () => {
    const { clock, killSwitch } = await staged([envSource(), new ScriptedSource('other')]);
    expect(killSwitch.isHalted()).toBe(false);
    process.env['EXECUTION_HALTED'] = '1';
    await clock.advance(100);
    expect(killSwitch.state()).toMatchObject({ halted: true, source: 'env:EXECUTION_HALTED', reason: 'env:EXECUTION_HALTED says "1"' });
    await killSwitch.close();
  });

  it('says that the old name is deprecated, where it is used', () => {
    opened();
    expect(logged).toEqual([]);
    process.env['EXEC_KILL_SWITCH'] = '0';
    opened().close();
    expect(logged).toEqual([
      { level: 'warn', details: { variable: 'EXEC_KILL_SWITCH' }, message: 'EXEC_KILL_SWITCH is deprecated: set EXECUTION_HALTED' },
    ]);
  });

  it('cannot change while the process runs', () => {
    expect(envSource()).toMatchObject({ name: 'env:EXECUTION_HALTED', canChange: false, waits: false, tellsExits: false, scope: {} });
  });
});

describe('a file that the environment names', () => {
  it('is the one of EXECUTION_HALTED_FILE, or of the deprecated name', () => {
    process.env['EXEC_KILL_SWITCH_FILE'] = '/tmp/old';
    expect(fileSource()).toMatchObject({ name: 'file:/tmp/old', canChange: true });
    process.env['EXECUTION_HALTED_FILE'] = '/tmp/old';
    expect(fileSource({})).toMatchObject({ name: 'file:/tmp/old', canChange: true });
    delete process.env['EXEC_KILL_SWITCH_FILE'];
    process.env['EXECUTION_HALTED_FILE'] = '/tmp/new';
    expect(fileSource({ scope: { account: 'a' } })).toMatchObject({ name: 'file:/tmp/new', scope: { account: 'a' } });
    expect(fileSource('/tmp/given')).toMatchObject({ name: 'file:/tmp/given' });
  });

  it('says that the old name is deprecated, where it is used', async () => {
    process.env['EXEC_KILL_SWITCH_FILE'] = '/tmp/old';
    const told = async () => {
      const { killSwitch, logged: lines } = await staged([fileSource()]);
      await killSwitch.close();
      return lines.filter(({ message }) => message.includes('deprecated'));
    };
    expect(await told()).toEqual([
      {
        level: 'warn',
        details: { variable: 'EXEC_KILL_SWITCH_FILE' },
        message: 'EXEC_KILL_SWITCH_FILE is deprecated: set EXECUTION_HALTED_FILE',
      },
    ]);
    process.env['EXECUTION_HALTED_FILE'] = '/tmp/old';
    expect(await told()).toEqual([]);
  });

  it('S3: two names for two files are a mistake, and so is one for none', () => {
    process.env['EXECUTION_HALTED_FILE'] = '/tmp/new';
    process.env['EXEC_KILL_SWITCH_FILE'] = '/tmp/old';
    expect(() => fileSource()).toThrow('EXEC_KILL_SWITCH_FILE = "/tmp/old": must be left out, or be EXECUTION_HALTED_FILE (/tmp/new)');
    process.env['EXECUTION_HALTED_FILE'] = '';
    process.env['EXEC_KILL_SWITCH_FILE'] = '';
    expect(() => fileSource()).toThrow('EXECUTION_HALTED_FILE = "": must be a text that is not empty');
    delete process.env['EXECUTION_HALTED_FILE'];
    expect(() => fileSource()).toThrow('EXEC_KILL_SWITCH_FILE = "": must be a text that is not empty');
  });

  it('S3: none is named: no opinion, doubt where it is required, and nothing that could change', async () => {
    expect(fileSource()).toMatchObject({ name: 'env:EXECUTION_HALTED_FILE', canChange: false });
    const { killSwitch } = await staged([fileSource(), new ScriptedSource('other')]);
    expect(killSwitch.isHalted()).toBe(false);
    expect(killSwitch.state().sources[0]).toMatchObject({ name: 'env:EXECUTION_HALTED_FILE', says: 'nothing', reason: 'names no file' });
    await killSwitch.close();
    const required = await staged([fileSource({ required: true }), new ScriptedSource('other')]);
    expect(required.killSwitch.state().reason).toBe('env:EXECUTION_HALTED_FILE is required and names no file');
    await required.killSwitch.close();
  });
});
