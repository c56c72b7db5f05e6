/** What a storm blows at: something with calls that can be hit, an operation, and a way to see from outside whether it has recovered. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigurationError, messageOf } from '../../errors.js';
import type { ChaosEngine } from '../inProcess/engine.js';
import type { ChaosInjection } from '../inProcess/injection.js';

export interface StormRun {
  /** What is done in each round, one after another. What it throws is a crash. */
  operation(round: number): unknown;
  /** Whether the subject has recovered. It must look past the engine, at what is really there. */
  recovered(injection: ChaosInjection): boolean | Promise<boolean>;
  close?(): unknown;
}

export interface StormSubject {
  readonly name: string;
  /** Puts the engine around the subject's calls. */
  open(engine: ChaosEngine): StormRun | Promise<StormRun>;
}

function isSubject(exported: unknown): exported is StormSubject {
  if (typeof exported !== 'object' || exported === null || !('name' in exported && 'open' in exported)) return false;
  return typeof exported.name === 'string' && typeof exported.open === 'function';
}

/** Loads the operator's own. Throws a ConfigurationError naming `subject`. */
export async function loadSubject(path: string): Promise<StormSubject> {
  let exported: unknown;
  try {
    const module: unknown = await import(pathToFileURL(resolve(path)).href);
    if (typeof module === 'object' && module !== null && 'default' in module) exported = module.default;
  } catch (error) {
    throw new ConfigurationError('subject', path, `must be a module that loads: ${messageOf(error).split('\n')[0]}`);
  }
  if (!isSubject(exported)) throw new ConfigurationError('subject', path, 'must have a default export with a name and an open function');
  return exported;
}
