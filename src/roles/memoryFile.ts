/** Decides where a role remembers uncleared halts across restarts, and makes the place. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigurationError, messageOf } from '../errors.js';
import type { Logger } from '../logger.js';

/** Beside the journal for a journal bus; nowhere for another one, unless a file is named. */
export function defaultMemoryFile(bus: string, id: string): string | undefined {
  const [, directory] = /^journal:(.+)$/s.exec(bus) ?? [];
  return directory === undefined ? undefined : join(directory.trim(), 'memory', `${id}.json`);
}

/** Throws a ConfigurationError naming `memoryFile` where its directory cannot be made. */
export async function prepareMemoryFile(
  given: string | undefined,
  bus: string,
  id: string,
  logger: Pick<Logger, 'warn'>,
): Promise<string | undefined> {
  const file = given ?? defaultMemoryFile(bus, id);
  if (file === undefined) {
    logger.warn({}, 'halts are remembered only as long as this process lives: name a file with --memory-file');
    return undefined;
  }
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigurationError('memoryFile', file, `must stand in a directory that can be written: ${messageOf(error)}`);
  }
  return file;
}
