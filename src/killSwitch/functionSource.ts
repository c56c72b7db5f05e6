/** A function of the user's as a source of the kill switch. */
import { checkName } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { checkScope, knownOptions, MAX_UNANSWERED } from './options.js';
import { parseWord } from './parse.js';
import type { KillSwitchSource, Opinion, SourceOptions } from './source.js';

/** `true` halts and `false` does not; a text is read as that of a file would be. Anything else is doubt, which halts. */
export type HaltAnswer = boolean | string | { readonly halted: boolean; readonly reason?: string };

export interface FunctionSourceOptions extends SourceOptions {
  /** What it is called in reasons. Default: the function's own name. */
  readonly name?: string;
}

function opinionOf(answer: unknown, from: string): Opinion {
  if (typeof answer === 'string') return { ...parseWord(answer), from };
  const { halted, reason } = partsOf(answer);
  if (halted === false) return { says: 'off', from };
  if (halted !== true) return { says: 'doubt', from, reason: `answered ${kindOf(answer)}: neither true nor false nor a text` };
  return { says: 'halted', from, reason: typeof reason === 'string' ? `says ${reason}` : 'says halted' };
}

function partsOf(answer: unknown): { readonly halted?: unknown; readonly reason?: unknown } {
  return typeof answer === 'object' && answer !== null ? answer : { halted: answer };
}

function kindOf(answer: unknown): string {
  return answer === null ? 'null' : typeof answer;
}

/**
 * Asks `isHalted` at every poll. It may be async; an answer that takes longer than `maxStalenessMs` does not count, and its signal
 * aborts then. A throw, a rejection, or an answer that is none of {@link HaltAnswer} halts.
 */
export function functionSource(
  isHalted: (signal: AbortSignal) => HaltAnswer | Promise<HaltAnswer>,
  options: FunctionSourceOptions = {},
): KillSwitchSource {
  if (typeof isHalted !== 'function') throw new ConfigurationError('isHalted', isHalted, 'must be a function that says whether to halt');
  knownOptions('options', options, ['name', 'scope']);
  const from = `function:${options.name === undefined ? isHalted.name || 'anonymous' : checkName('name', options.name)}`;
  return {
    name: from,
    scope: checkScope(options.scope),
    canChange: true,
    waits: false,
    maxUnanswered: MAX_UNANSWERED,
    tellsExits: false,
    open: () => ({
      read: async (signal) => opinionOf(await isHalted(signal), from),
      close: () => undefined,
    }),
  };
}
