/** Loads the operator's decide function for an exit brain. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Position, WorkingOrder } from '../broker/broker.js';
import { ConfigurationError, messageOf } from '../errors.js';

export interface DecideView {
  readonly positions: readonly Position[];
  readonly orders: readonly WorkingOrder[];
  /** Aborts when the process is told to end. */
  readonly signal: AbortSignal;
}

/**
 * One evaluation of the book. It may hold on to its own broker and act; what it returns is not acted upon. As long as it
 * does not settle no decision is made, and the watchdog sees that.
 */
export type Decide = (view: DecideView) => unknown;

/** Watches and does nothing. */
export const hold: Decide = () => undefined;

function isDecide(exported: unknown): exported is Decide {
  return typeof exported === 'function';
}

/** Throws a ConfigurationError naming `decide`. */
export async function loadDecide(path: string): Promise<Decide> {
  let exported: unknown;
  try {
    const module: unknown = await import(pathToFileURL(resolve(path)).href);
    if (typeof module === 'object' && module !== null && 'default' in module) exported = module.default;
  } catch (error) {
    throw new ConfigurationError('decide', path, `must be a module that loads: ${messageOf(error).split('\n')[0]}`);
  }
  if (!isDecide(exported)) throw new ConfigurationError('decide', path, 'must have a default export that is a function');
  return exported;
}
