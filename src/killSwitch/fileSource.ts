/** A file as a source of the kill switch: on a disk, or mounted from a ConfigMap. */
import { resolve } from 'node:path';
import { checkText } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { environmentVariable } from '../process/environment.js';
import { DirectoryHint, type HintParts, intactHintParts } from './directoryHint.js';
import { checkFlag, checkScope, knownOptions } from './options.js';
import { readHaltFile } from './readHaltFile.js';
import type { KillSwitchSource, OpenSource, Opinion, SourceContext, SourceOptions } from './source.js';

export interface FileSourceOptions extends SourceOptions {
  /** Halts while no variable names a file. Default false: then it has no opinion. A file that is named is always required. */
  readonly required?: boolean;
}

class WatchedFile implements OpenSource {
  readonly #path: string;
  readonly #from: string;
  readonly #hint: DirectoryHint;

  constructor(path: string, from: string, { changed, logger }: SourceContext, parts: HintParts) {
    this.#path = path;
    this.#from = from;
    this.#hint = new DirectoryHint(path, changed, logger, parts);
  }

  async read(): Promise<Opinion> {
    // Before the read: a change from here on is hinted at.
    await this.#hint.follow();
    return { ...(await readHaltFile(this.#path)), from: this.#from };
  }

  close(): void {
    this.#hint.close();
  }
}

/** The file that the environment names: by its own name, or by the deprecated one of the original systems. */
function pathOfEnvironment(): string | undefined {
  const path = environmentVariable('EXECUTION_HALTED_FILE');
  const deprecated = environmentVariable('EXEC_KILL_SWITCH_FILE');
  if (path === undefined) return deprecated === undefined ? undefined : checkText('EXEC_KILL_SWITCH_FILE', deprecated);
  if (deprecated !== undefined && deprecated !== path) {
    throw new ConfigurationError('EXEC_KILL_SWITCH_FILE', deprecated, `must be left out, or be EXECUTION_HALTED_FILE (${path})`);
  }
  return checkText('EXECUTION_HALTED_FILE', path);
}

function unnamedFile(required: boolean): OpenSource {
  const from = 'env:EXECUTION_HALTED_FILE';
  const opinion: Opinion = required
    ? { says: 'doubt', from, reason: 'is required and names no file' }
    : { says: 'nothing', from, reason: 'names no file' };
  return { read: () => opinion, close: () => undefined };
}

function sourceOf(path: string | undefined, options: unknown, parts: HintParts): KillSwitchSource {
  const given = knownOptions('options', options, ['required', 'scope']);
  const required = checkFlag('required', given['required']);
  const common = { scope: checkScope(given['scope']), waits: false, tellsExits: false, maxUnanswered: 1 };
  if (path === undefined) {
    return { ...common, name: 'env:EXECUTION_HALTED_FILE', canChange: false, open: () => unnamedFile(required) };
  }
  if (path.includes('\0')) throw new ConfigurationError('path', path, 'must be the path of a file');
  // What the process changes its directory to later must not change which file halts it.
  const absolute = resolve(path);
  const from = `file:${absolute}`;
  // A read that hangs takes one of the few threads that all files and names share: one at a time.
  return { ...common, name: from, canChange: true, open: (context) => new WatchedFile(absolute, from, context, parts) };
}

/** Composes a file source of given parts; everything but tests uses {@link fileSource}. */
export function assembleFileSource(path: string, parts: HintParts): KillSwitchSource {
  return sourceOf(path, {}, parts);
}

/**
 * Reads `path` at every change of its directory, and at every poll. The whole file must be one token: `0`, `false`, `no` or `off` is
 * off, anything else halts, and so does a file that is missing, empty, unreadable, larger than 1,024 bytes or not a file.
 * Without a path it is the file that `EXECUTION_HALTED_FILE` names (or `EXEC_KILL_SWITCH_FILE`, deprecated) when this is called.
 */
export function fileSource(path: string, options?: FileSourceOptions): KillSwitchSource;
export function fileSource(options?: FileSourceOptions): KillSwitchSource;
export function fileSource(...args: readonly unknown[]): KillSwitchSource {
  const [first, second = {}] = args;
  if (args.length === 0) return sourceOf(pathOfEnvironment(), {}, intactHintParts);
  if (typeof first === 'object' && first !== null) return sourceOf(pathOfEnvironment(), first, intactHintParts);
  // Also where it is undefined: then the path is a safety input gone missing, not one left out.
  return sourceOf(checkText('path', first), second, intactHintParts);
}
