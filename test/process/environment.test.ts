/** The environment of this process: read in one place, each time that somebody asks. */
import { afterEach, expect, it, vi } from 'vitest';
import { breakersFromEnvironment, environmentVariable, environmentWith } from '../../src/process/environment.js';

afterEach(() => vi.unstubAllEnvs());

it('S3: a variable is what it is set to by now; an empty one is not one that is left out', () => {
  vi.stubEnv('EXECUTION_HALTED', undefined);
  expect(environmentVariable('EXECUTION_HALTED')).toBeUndefined();
  vi.stubEnv('EXECUTION_HALTED', '');
  expect(environmentVariable('EXECUTION_HALTED')).toBe('');
  vi.stubEnv('EXECUTION_HALTED', '1');
  expect(environmentVariable('EXECUTION_HALTED')).toBe('1');
});

it('the breakers are what the environment says', () => {
  vi.stubEnv('EXEC_CB_MAX_CONSECUTIVE_LOSSES', undefined);
  expect(breakersFromEnvironment()).toEqual({});
  vi.stubEnv('EXEC_CB_MAX_CONSECUTIVE_LOSSES', '3');
  expect(breakersFromEnvironment()).toEqual({ consecutiveLosses: { max: 3 } });
  vi.stubEnv('EXEC_CB_MAX_CONSECUTIVE_LOSSES', 'many');
  expect(() => breakersFromEnvironment()).toThrow('EXEC_CB_MAX_CONSECUTIVE_LOSSES = "many": must be a plain decimal number');
});

it('a process that is started from here inherits this environment, with more in it and what is named anew', () => {
  vi.stubEnv('FAILFLAT_BUS', 'memory:');
  vi.stubEnv('FAILFLAT_ACCOUNT', 'first');
  const environment = environmentWith({ FAILFLAT_ACCOUNT: 'second', FAILFLAT_BROKER: 'paper' });
  expect(environment).toEqual({ ...process.env, FAILFLAT_BUS: 'memory:', FAILFLAT_ACCOUNT: 'second', FAILFLAT_BROKER: 'paper' });
  expect(process.env['FAILFLAT_ACCOUNT']).toBe('first');
});
