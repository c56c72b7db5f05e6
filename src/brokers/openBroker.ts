/** Opens a broker by what the operator wrote: `paper:<url>`, or the path of a module of the operator's own. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Broker } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { ConfigurationError, isFailflatError, messageOf, systemCodeOf } from '../errors.js';

export interface OpenBrokerOptions {
  /** The account to trade on. */
  readonly account: string;
  /** What the venue must call itself. Default: not compared. */
  readonly environment?: string;
  /** When a call surely ends. Default: the adapter's own. */
  readonly timeoutMs?: number;
  /** Who sends, for venues that record it. */
  readonly source?: string;
  readonly clock?: Clock;
}

/** What a module's default export may be, beside a broker itself. */
export type BrokerFactory = (options: OpenBrokerOptions) => Broker | Promise<Broker>;

const BOUND = 'must be paper:http://HOST:PORT, or the path of a module, like ./my-broker.mjs';
const METHODS = ['identity', 'capabilities', 'positions', 'openOrders', 'submit', 'cancel', 'orderByClientId', 'close'] as const;

function missingMethods(candidate: unknown): readonly string[] {
  if (typeof candidate !== 'object' || candidate === null) return METHODS;
  return METHODS.filter((method) => typeof Reflect.get(candidate, method) !== 'function');
}

function isBroker(candidate: unknown): candidate is Broker {
  return missingMethods(candidate).length === 0;
}

/** Throws a ConfigurationError that names `broker`, what was written and what it must be. */
export async function openBroker(spec: string, options: OpenBrokerOptions): Promise<Broker> {
  if (spec.startsWith('paper:')) return openPaper(spec, options);
  if (/^(\.{0,2}\/|[^:]+\.[cm]?js$)/.test(spec)) return openModule(spec, options);
  throw new ConfigurationError('broker', spec, BOUND);
}

async function openPaper(spec: string, options: OpenBrokerOptions): Promise<Broker> {
  const { createPaperBroker } = await import('./paper/broker.js');
  try {
    return createPaperBroker({ ...options, url: spec.slice('paper:'.length) });
  } catch (error) {
    if (error instanceof ConfigurationError && error.field === 'url')
      throw new ConfigurationError('broker', spec, `${error.bound} after paper:`);
    throw error;
  }
}

async function load(spec: string): Promise<unknown> {
  const path = resolve(spec);
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    return typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  } catch (error) {
    const absent = systemCodeOf(error) === 'ERR_MODULE_NOT_FOUND' && messageOf(error).includes(`'${path}'`);
    const bound = absent
      ? `must be a module that exists: there is no ${path}`
      : `must be a module that loads: ${firstLine(messageOf(error))}`;
    throw new ConfigurationError('broker', spec, bound);
  }
}

async function openModule(spec: string, options: OpenBrokerOptions): Promise<Broker> {
  const exported = await load(spec);
  let broker = exported;
  if (typeof exported === 'function') {
    try {
      broker = await Reflect.apply(exported, undefined, [options]);
    } catch (error) {
      if (isFailflatError(error)) throw error;
      throw new ConfigurationError('broker', spec, `must export a factory that makes a broker: ${firstLine(messageOf(error))}`);
    }
  }
  if (isBroker(broker)) return broker;
  const lacks = missingMethods(broker);
  const found = lacks.length === METHODS.length ? '' : `: it lacks ${lacks.join(', ')}`;
  throw new ConfigurationError('broker', spec, `must have a default export that is a broker or a factory of one${found}`);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
