/** What is supervised: one process each, and what its death means. */
import { readFile } from 'node:fs/promises';
import { checkName, checkOneOf } from '../checks.js';
import { ConfigurationError, messageOf } from '../errors.js';

/** A `bot` sends orders, an `exit-brain` decides on exits: with positions open nobody may be without one. The others only have to come back. */
export const SERVICE_KINDS = ['bot', 'exit-brain', 'watchdog', 'exit-worker', 'other'] as const;
export type ServiceKind = (typeof SERVICE_KINDS)[number];

export interface Service {
  readonly name: string;
  readonly kind: ServiceKind;
  /** A program and its words; no shell. */
  readonly command: readonly [string, ...string[]];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** Throws {@link ConfigurationError} naming the field. */
export function checkService(field: string, { name, kind, command }: Readonly<Record<string, unknown>>): Service {
  const [program, ...words] = Array.isArray(command) ? command.map(String) : [];
  if (program === undefined || program === '')
    throw new ConfigurationError(`${field}.command`, command, 'must be a program and its words, as a list');
  const known = SERVICE_KINDS.find((candidate) => candidate === kind);
  if (known === undefined) throw new ConfigurationError(`${field}.kind`, kind, `must be one of ${SERVICE_KINDS.join(', ')}`);
  return {
    name: checkName(`${field}.name`, typeof name === 'string' ? name : known),
    kind: checkOneOf(`${field}.kind`, known, SERVICE_KINDS),
    command: [program, ...words],
  };
}

/** A JSON file with a list of services. Throws {@link ConfigurationError} naming file and field. */
export async function readServices(file: string): Promise<readonly Service[]> {
  let list: unknown;
  try {
    list = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigurationError('services', file, `must be a JSON file that can be read: ${messageOf(error)}`, { cause: error });
  }
  if (!Array.isArray(list) || list.length === 0) throw new ConfigurationError('services', file, 'must hold a list of at least one service');
  return list.map((entry: unknown, index) => {
    if (!isRecord(entry)) throw new ConfigurationError(`services[${index}]`, entry, 'must be an object with name, kind and command');
    return checkService(`services[${index}]`, entry);
  });
}

/** Throws {@link ConfigurationError} where two bear the same name. */
export function checkDistinct(services: readonly Service[]): readonly Service[] {
  const names = services.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigurationError('services', twice, 'must not be the name of two services');
  return services;
}
