/** The options of a command: a small table per command, checked before anything happens. */
import { parseArgs } from 'node:util';
import { ConfigurationError } from '../errors.js';
import { type EnvironmentVariable, environmentVariable } from '../process/environment.js';
import { parseDurationMs } from './duration.js';

interface Described {
  readonly help: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  /** Where the value comes from when the option is not given. */
  readonly env?: EnvironmentVariable;
}

export type OptionSpec = Described &
  (
    | { readonly type: 'flag' }
    | { readonly type: 'text'; readonly default?: string; readonly oneOf?: readonly string[] }
    | { readonly type: 'texts' }
    | { readonly type: 'number' | 'integer'; readonly default?: number; readonly min?: number; readonly max?: number }
    /** Written with its unit; the default and the bounds are in milliseconds. */
    | { readonly type: 'duration'; readonly default?: number; readonly min?: number; readonly max?: number }
  );

export interface ArgumentSpec {
  /** Under which its value is kept, beside the options. */
  readonly name: string;
  /** What stands for it in the help. */
  readonly value: string;
  /** It is all the words behind `--`, and nothing before it. */
  readonly isRest?: boolean;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

type Value = string | number | boolean | readonly string[];

/** What the operator gave, checked against the table. */
export class Values {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #origins: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, Value>, origins: ReadonlyMap<string, string>) {
    this.#values = values;
    this.#origins = origins;
  }

  /** What an error should call it: the option, or the environment variable that the value came from. */
  origin(name: string): string {
    return this.#origins.get(name) ?? `--${name}`;
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** Throws a ConfigurationError where it is missing. */
  required(name: string, why: string): string {
    const value = this.text(name);
    if (value === undefined) throw new ConfigurationError(this.origin(name), undefined, `must be given: ${why}`);
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.#values.get(name);
    return typeof value === 'object' ? value : [];
  }

  /** Numbers, and durations in milliseconds. */
  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }
}

function bound(spec: { readonly min?: number; readonly max?: number }, unit: string): string {
  const { min, max } = spec;
  if (min !== undefined && max !== undefined) return ` between ${min}${unit} and ${max}${unit}`;
  if (min !== undefined) return ` of at least ${min}${unit}`;
  return max === undefined ? '' : ` of at most ${max}${unit}`;
}

function checkedNumber(name: string, written: string, spec: OptionSpec & { readonly type: 'number' | 'integer' | 'duration' }): number {
  const value = spec.type === 'duration' ? parseDurationMs(written) : /^-?\d+(\.\d+)?$/.test(written) ? Number(written) : undefined;
  const inBounds = value !== undefined && value >= (spec.min ?? -Infinity) && value <= (spec.max ?? Infinity);
  if (inBounds && (spec.type !== 'integer' || Number.isInteger(value))) return value;
  const what = { number: 'a number', integer: 'a whole number', duration: 'a duration, like 750ms, 90s or 2m,' }[spec.type];
  throw new ConfigurationError(name, written, `must be ${what}${bound(spec, spec.type === 'duration' ? 'ms' : '')}`);
}

function checked(name: string, written: string, spec: OptionSpec): Value {
  if (spec.type === 'number' || spec.type === 'integer' || spec.type === 'duration') return checkedNumber(name, written, spec);
  if (written.trim() === '') throw new ConfigurationError(name, written, 'must be a text that is not empty');
  if (spec.type === 'text' && spec.oneOf !== undefined && !spec.oneOf.includes(written)) {
    throw new ConfigurationError(name, written, `must be one of ${spec.oneOf.join(', ')}`);
  }
  return spec.type === 'texts' ? [written] : written;
}

function fallback(spec: OptionSpec): { readonly origin?: EnvironmentVariable; readonly value: Value } | undefined {
  const inherited = spec.env === undefined ? undefined : environmentVariable(spec.env);
  if (spec.env !== undefined && inherited !== undefined) return { origin: spec.env, value: checked(spec.env, inherited, spec) };
  return 'default' in spec && spec.default !== undefined ? { value: spec.default } : undefined;
}

/** Option names come from the tables, so an unknown one is the operator's. */
function rawValues(table: OptionTable, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type }]) => [
      name,
      type === 'flag' ? ({ type: 'boolean' } as const) : ({ type: 'string', multiple: true } as const),
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  return tokens;
}

function explainUnknown(name: string, table: OptionTable): ConfigurationError {
  return new ConfigurationError(
    'option',
    name,
    `is not known here: one of ${Object.keys(table)
      .map((known) => `--${known}`)
      .join(', ')}`,
  );
}

/** Throws a ConfigurationError for the first thing that is wrong. */
export function parseOptions(table: OptionTable, args: readonly string[], argument?: ArgumentSpec): Values {
  const given = new Map<string, string[]>();
  const flags = new Map<string, Value>();
  const words = new Map<string, Value>();
  const rest: string[] = [];
  let isRest = false;
  for (const token of rawValues(table, args)) {
    isRest ||= token.kind === 'option-terminator';
    if (token.kind === 'positional' && isRest && argument?.isRest === true) rest.push(token.value);
    else if (token.kind === 'positional') {
      if (argument === undefined || argument.isRest === true || words.has(argument.name))
        throw new ConfigurationError('argument', token.value, 'is not expected: options begin with --');
      words.set(argument.name, token.value);
    }
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (spec === undefined) throw explainUnknown(token.rawName, table);
    if (spec.type === 'flag') {
      if (token.value !== undefined) throw new ConfigurationError(token.rawName, token.value, 'is a switch and takes no value');
      flags.set(token.name, true);
      continue;
    }
    if (token.value === undefined) throw new ConfigurationError(token.rawName, undefined, `needs a value: ${spec.value ?? spec.type}`);
    given.set(token.name, [...(given.get(token.name) ?? []), token.value]);
  }
  if (argument?.isRest === true && rest.length > 0) words.set(argument.name, rest);
  const values = new Map<string, Value>([...flags, ...words]);
  const origins = new Map<string, string>(argument === undefined ? [] : [[argument.name, argument.value]]);
  for (const [name, spec] of Object.entries(table)) {
    const written = given.get(name) ?? [];
    const [last] = written.slice(-1);
    if (spec.type !== 'texts' && written.length > 1) throw new ConfigurationError(`--${name}`, written, 'must be given only once');
    if (last === undefined) {
      const inherited = fallback(spec);
      if (inherited !== undefined && !values.has(name)) values.set(name, inherited.value);
      if (inherited?.origin !== undefined) origins.set(name, inherited.origin);
    } else if (spec.type === 'texts') {
      values.set(
        name,
        written.map((text) => String(checked(`--${name}`, text, { ...spec, type: 'text' }))),
      );
    } else values.set(name, checked(`--${name}`, last, spec));
  }
  return new Values(values, origins);
}
