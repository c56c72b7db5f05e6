/** A file as a source of the kill switch: on a disk, or mounted from a ConfigMap. */
import { isAbsolute, sep } from 'node:path';
import { checkText } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { environmentVariable } from '../process/environment.js';
import { DirectoryHint, type HintParts, intactHintParts } from './directoryHint.js';
import { checkFlag, checkScope, knownOptions } from './options.js';
import { readHaltFile } from './readHaltFile.js';
import type { KillSwitchScope, KillSwitchSource, OpenSource, Opinion, SourceContext, SourceOptions } from './source.js';

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

const CURRENT = 'EXECUTION_HALTED_FILE';
/** The name that the original systems used. */
const DEPRECATED = 'EXEC_KILL_SWITCH_FILE';

function pathOfEnvironment(): string | undefined {
  const path = environmentVariable(CURRENT);
  const deprecated = environmentVariable(DEPRECATED);
  if (path === undefined) return deprecated === undefined ? undefined : checkText(DEPRECATED, deprecated);
  if (deprecated !== undefined && deprecated !== path) {
    throw new ConfigurationError(DEPRECATED, deprecated, `must be left out, or be ${CURRENT} (${path})`);
  }
  return checkText(CURRENT, path);
}

function unnamedFile(required: boolean): OpenSource {
  const from = `env:${CURRENT}`;
  const opinion: Opinion = required
    ? { says: 'doubt', from, reason: 'is required and names no file' }
    : { says: 'nothing', from, reason: 'names no file' };
  return { read: () => opinion, close: () => undefined };
}

function optionsOf(options: unknown): { readonly required: boolean; readonly scope: KillSwitchScope } {
  const given = knownOptions('options', options, ['required', 'scope']);
  return { required: checkFlag('required', given['required']), scope: checkScope(given['scope']) };
}

// A read that hangs takes one of the few threads that all files and names share: one at a time.
const COMMON = { waits: false, tellsExits: false, maxUnanswered: 1 };

function sourceOf(path: string, options: unknown, parts: HintParts): KillSwitchSource {
  const { scope } = optionsOf(options);
  if (path.includes('\0')) throw new ConfigurationError('path', path, 'must be the path of a file');
  // What the process changes its directory to later must not change which file halts it. Not `resolve`, which takes `..` away without
  // asking where a link leads.
  const absolute = isAbsolute(path) ? path : `${process.cwd()}${sep}${path}`;
  const from = `file:${path}`;
  return { ...COMMON, name: from, scope, canChange: true, open: (context) => new WatchedFile(absolute, from, context, parts) };
}

function sourceOfEnvironment(options: unknown): KillSwitchSource {
  const { required, scope } = optionsOf(options);
  const path = pathOfEnvironment();
  if (path === undefined) return { ...COMMON, name: `env:${CURRENT}`, scope, canChange: false, open: () => unnamedFile(required) };
  const named = sourceOf(path, options, intactHintParts);
  const isDeprecated = environmentVariable(CURRENT) === undefined;
  const open = (context: SourceContext) => {
    if (isDeprecated) context.logger.warn({ variable: DEPRECATED }, `${DEPRECATED} is deprecated: set ${CURRENT}`);
    return named.open(context);
  };
  return { ...named, open };
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
  if (args.length === 0) return sourceOfEnvironment({});
  if (typeof first === 'object' && first !== null) return sourceOfEnvironment(first);
  // Also where it is undefined: then the path is a safety input gone missing, not one left out.
  return sourceOf(checkText('path', first), second, intactHintParts);
}
