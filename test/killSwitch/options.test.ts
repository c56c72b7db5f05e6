import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { ConfigurationError } from '../../src/errors.js';
import { busSource } from '../../src/killSwitch/busSource.js';
import { envSource } from '../../src/killSwitch/envSource.js';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { type KillSwitchOptions, killSwitchConfig } from '../../src/killSwitch/options.js';

const source = functionSource(() => false, { name: 'f' });

function complaint(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return 'none';
}

const made = (options: object) => () => createKillSwitch(options as KillSwitchOptions);

describe('the options of a kill switch', () => {
  it.each<[unknown, string]>([
    [
      undefined,
      'options = undefined: must be an object with sources, maxStalenessMs, pollMs, wallDivergenceMs, allowStatic, clock, logger',
    ],
    [null, 'options = null: must be an object with sources, maxStalenessMs, pollMs, wallDivergenceMs, allowStatic, clock, logger'],
    [{}, 'sources = undefined: must name at least one source'],
    [{ sources: [] }, 'sources = []: must name at least one source'],
    [{ sources: source }, 'sources = an object: must name at least one source'],
    [{ sources: [source, null] }, 'sources[1] = null: must be made by envSource, fileSource, busSource or functionSource'],
    [{ sources: ['/etc/halted'] }, 'sources[0] = "/etc/halted": must be made by envSource, fileSource, busSource or functionSource'],
    [
      { sources: [{ open: 1, canChange: true }] },
      'sources[0] = an object: must be made by envSource, fileSource, busSource or functionSource',
    ],
    [{ sources: [{ open: () => 1 }] }, 'sources[0] = an object: must be made by envSource, fileSource, busSource or functionSource'],
    [{ sources: [{ canChange: true }] }, 'sources[0] = an object: must be made by envSource, fileSource, busSource or functionSource'],
    [
      { sources: [source], maxStaleness: 5 },
      'maxStaleness = 5: is not an option: one of sources, maxStalenessMs, pollMs, wallDivergenceMs, allowStatic, clock, logger',
    ],
    [{ sources: [source], maxStalenessMs: 19 }, 'maxStalenessMs = 19: must be a finite number between 20 and 60000'],
    [{ sources: [source], maxStalenessMs: 60_001 }, 'maxStalenessMs = 60001: must be a finite number between 20 and 60000'],
    [{ sources: [source], maxStalenessMs: Number.NaN }, 'maxStalenessMs = NaN: must be a finite number between 20 and 60000'],
    [{ sources: [source], pollMs: 501 }, 'pollMs = 501: must be a finite number between 1 and 500'],
    [{ sources: [source], pollMs: 0 }, 'pollMs = 0: must be a finite number between 1 and 500'],
    [{ sources: [source], wallDivergenceMs: 0 }, 'wallDivergenceMs = 0: must be a finite number between 1 and 10000'],
    [{ sources: [source], wallDivergenceMs: 10_001 }, 'wallDivergenceMs = 10001: must be a finite number between 1 and 10000'],
    [{ sources: [source], allowStatic: 'yes' }, 'allowStatic = "yes": must be true or false'],
  ])('%j cannot hold: %s', (options, message) => {
    expect(complaint(made(options as object))).toBe(message);
  });

  it('S3: a switch that nobody can throw is refused, unless that is what is wanted', async () => {
    const message =
      'can never change while the process runs (it reads env:EXECUTION_HALTED): must include a file, a bus or a function, or allowStatic must be true';
    expect(complaint(made({ sources: [envSource()] }))).toBe(`sources = ["env:EXECUTION_HALTED"]: ${message}`);
    const unnamed = { name: 'b', canChange: false, open: () => undefined };
    expect(complaint(made({ sources: [envSource(), unnamed] }))).toContain('(it reads env:EXECUTION_HALTED, b)');
    for (const options of [{ sources: [envSource()], allowStatic: true }, { sources: [envSource(), source] }]) {
      const killSwitch = createKillSwitch(options);
      await killSwitch.close();
    }
  });

  it('have these defaults', () => {
    expect(killSwitchConfig({ sources: [source] })).toMatchObject({
      maxStalenessMs: 1_000,
      pollMs: 100,
      wallDivergenceMs: 250,
      allowStatic: false,
    });
    expect(killSwitchConfig({ sources: [source], maxStalenessMs: 150 }).pollMs).toBe(75);
    expect(killSwitchConfig({ sources: [source], maxStalenessMs: 20, pollMs: 10 })).toMatchObject({ maxStalenessMs: 20, pollMs: 10 });
    expect(killSwitchConfig({ sources: [source], maxStalenessMs: 60_000, wallDivergenceMs: 10_000 })).toMatchObject({
      wallDivergenceMs: 10_000,
    });
  });
});

describe('the options of the sources', () => {
  const file =
    (...args: unknown[]) =>
    () =>
      (fileSource as (...given: unknown[]) => unknown)(...args);
  const func =
    (...args: unknown[]) =>
    () =>
      (functionSource as (...given: unknown[]) => unknown)(...args);
  const bus =
    (...args: unknown[]) =>
    () =>
      (busSource as (...given: unknown[]) => unknown)(...args);
  const env =
    (...args: unknown[]) =>
    () =>
      (envSource as (...given: unknown[]) => unknown)(...args);

  it.each<[string, () => unknown, string]>([
    ['a path that went missing', file(undefined), 'path = undefined: must be a text that is not empty'],
    ['a path that went missing, with options', file(undefined, { required: true }), 'path = undefined: must be a text that is not empty'],
    ['null', file(null), 'path = null: must be a text that is not empty'],
    ['an empty path', file(''), 'path = "": must be a text that is not empty'],
    ['a path with NUL', file('/tmp/a\0b'), 'path = "/tmp/a\\u0000b": must be the path of a file'],
    ['an option of a file', file('/tmp/a', { require: true }), 'require = true: is not an option: one of required, scope'],
    ['options of a file', file('/tmp/a', 'required'), 'options = "required": must be an object with required, scope'],
    ['required', file('/tmp/a', { required: 1 }), 'required = 1: must be true or false'],
    ['required', file({ required: 'no' }), 'required = "no": must be true or false'],
    ['an option of the environment', env({ names: [] }), 'names = []: is not an option: one of required, scope'],
    ['required', env({ required: 0 }), 'required = 0: must be true or false'],
    ['a scope', env({ scope: 'momentum' }), 'scope = "momentum": must be an object with strategy, account'],
    ['a scope', env({ scope: { tenant: 'x' } }), 'tenant = "x": is not an option: one of strategy, account'],
    [
      'a strategy',
      env({ scope: { strategy: undefined } }),
      'scope.strategy = undefined: must be 1 to 100 letters, digits, dots, dashes or underscores, and begin with a letter or digit',
    ],
    [
      'an account',
      env({ scope: { account: 'a b' } }),
      'scope.account = "a b": must be 1 to 100 letters, digits, dots, dashes or underscores, and begin with a letter or digit',
    ],
    ['no function', func('halted'), 'isHalted = "halted": must be a function that says whether to halt'],
    ['an option of a function', func(() => true, { label: 'x' }), 'label = "x": is not an option: one of name, scope'],
    [
      'a name',
      func(() => true, { name: 'a b' }),
      'name = "a b": must be 1 to 100 letters, digits, dots, dashes or underscores, and begin with a letter or digit',
    ],
    ['no bus', bus(undefined), 'bus = undefined: must be a bus, as openBus resolves with'],
    ['no bus', bus(null), 'bus = null: must be a bus, as openBus resolves with'],
    ['no bus', bus({ latch: () => 1 }), 'bus = an object: must be a bus, as openBus resolves with'],
    ['no bus', bus({ url: 'memory:', latch: 1 }), 'bus = an object: must be a bus, as openBus resolves with'],
    ['a promise of a bus', bus(Promise.resolve()), 'bus = an object: must be a bus, as openBus resolves with'],
    [
      'options of a bus',
      bus(createMemoryBus().handle(), 'reduce'),
      'options = "reduce": must be an object with scope, venueEnforcesReduceOnly',
    ],
    ['options of the environment', env('required'), 'options = "required": must be an object with required, scope'],
    ['options of a function', func(() => true, 'name'), 'options = "name": must be an object with name, scope'],
    [
      'an option of a bus',
      bus(createMemoryBus().handle(), { account: 'a' }),
      'account = "a": is not an option: one of scope, venueEnforcesReduceOnly',
    ],
    [
      'a flag of a bus',
      bus(createMemoryBus().handle(), { venueEnforcesReduceOnly: 1 }),
      'venueEnforcesReduceOnly = 1: must be true or false',
    ],
  ])('S3: %s is a mistake', (_name, make, message) => {
    expect(complaint(make)).toBe(message);
  });

  it('scopes are taken as they are given', () => {
    const scope = { strategy: 'momentum', account: 'first' };
    expect(env({ scope })()).toMatchObject({ scope });
    expect(file('/tmp/a', { scope })()).toMatchObject({ scope });
    expect(func(() => true, { scope })()).toMatchObject({ scope });
    expect(bus(createMemoryBus().handle(), { scope: { account: 'first' } })()).toMatchObject({ scope: { account: 'first' } });
    expect(env({ scope: undefined })()).toMatchObject({ scope: {} });
  });

  it('a file is named as it was given', () => {
    expect(fileSource('var/halted')).toMatchObject({ name: 'file:var/halted', maxUnanswered: 1, waits: false, tellsExits: false });
  });
});
