/** The environment as a source of the kill switch: how a process is started halted. */
import { environmentVariable } from '../process/environment.js';
import { checkFlag, checkScope, knownOptions } from './options.js';
import { parseWord } from './parse.js';
import type { KillSwitchSource, OpenSource, Opinion, SourceContext, SourceOptions } from './source.js';

export interface EnvSourceOptions extends SourceOptions {
  /** Halts while neither variable is set. Default false: then an unset variable has no opinion. */
  readonly required?: boolean;
}

/** In the order in which they are told; any of them halts. The second name is that of the original systems. */
const VARIABLES = ['EXECUTION_HALTED', 'EXEC_KILL_SWITCH'] as const;
const NAME = `env:${VARIABLES[0]}`;

class Environment implements OpenSource {
  readonly #required: boolean;
  /** Those that were set once. */
  readonly #seen = new Set<string>();

  constructor(required: boolean, { logger }: SourceContext) {
    this.#required = required;
    if (environmentVariable('EXEC_KILL_SWITCH') !== undefined) {
      logger.warn({ variable: 'EXEC_KILL_SWITCH' }, 'EXEC_KILL_SWITCH is deprecated: set EXECUTION_HALTED');
    }
  }

  read(): Opinion {
    const opinions = VARIABLES.map((variable) => this.#opinionOf(variable, environmentVariable(variable)));
    for (const says of ['halted', 'doubt', 'off'] as const) {
      const found = opinions.find((opinion) => opinion?.says === says);
      if (found !== undefined) return found;
    }
    return { says: this.#required ? 'doubt' : 'nothing', from: NAME, reason: this.#required ? 'is required and not set' : 'is not set' };
  }

  close(): void {
    // Nothing was set up.
  }

  #opinionOf(variable: string, value: string | undefined): Opinion | undefined {
    const from = `env:${variable}`;
    if (value !== undefined) {
      this.#seen.add(variable);
      return { ...parseWord(value), from };
    }
    // A missing variable resumes nothing: the process may take back its own, but then nobody says that trading may go on.
    if (this.#seen.has(variable)) return { says: 'doubt', from, reason: 'was set and is gone' };
    return undefined;
  }
}

/**
 * `EXECUTION_HALTED`, and the deprecated `EXEC_KILL_SWITCH`: `0`, `false`, `no` or `off` is off, anything else that is set halts.
 * Nobody can change them from outside while the process runs, so a switch needs another source beside it.
 */
export function envSource(options: EnvSourceOptions = {}): KillSwitchSource {
  knownOptions('options', options, ['required', 'scope']);
  const required = checkFlag('required', options.required);
  return {
    name: NAME,
    scope: checkScope(options.scope),
    canChange: false,
    waits: false,
    maxUnanswered: 1,
    tellsExits: false,
    open: (context) => new Environment(required, context),
  };
}
