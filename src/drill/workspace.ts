/** A directory of the drill's own: made at the start, gone at the end. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, messageOf } from '../errors.js';

export interface Workspace {
  readonly busUrl: string;
  /** Where a process that carries a fault inside it looks for the sign to begin. */
  readonly triggerFile: string;
  /** Gives that sign. */
  trigger(): Promise<void>;
  remove(): Promise<void>;
}

/** With `bus` given, a fresh subdirectory below it; never anything that is there already. */
export async function makeWorkspace(bus: string | undefined): Promise<Workspace> {
  const directory = await makeDirectory(bus);
  const triggerFile = join(directory, 'trigger');
  return {
    busUrl: `journal:${join(directory, 'bus')}`,
    triggerFile,
    trigger: () => writeFile(triggerFile, ''),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function makeDirectory(bus: string | undefined): Promise<string> {
  if (bus === undefined) return mkdtemp(join(tmpdir(), 'failflat-drill-'));
  if (!bus.startsWith('journal:') || bus.length === 'journal:'.length) {
    throw new ConfigurationError('bus', bus, 'must be journal:<directory>: a drill needs a bus that several processes share');
  }
  const parent = bus.slice('journal:'.length);
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    return await mkdtemp(join(parent, 'drill-'));
  } catch (error) {
    throw new ConfigurationError('bus', bus, `must be a directory that can be written: ${messageOf(error)}`, { cause: error });
  }
}
