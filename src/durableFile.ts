/** Small files that after a crash of process or host hold the old text or the new one, whole. */
import { readFileSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where such files are kept. */
export interface DurableFiles {
  /** Throws what the system says: `ENOENT` where there is none. */
  read(file: string): string;
  /** Resolves when `text` surely outlives the host. Only one call at a time for each file. */
  replace(file: string, text: string): Promise<void>;
  remove(file: string): Promise<void>;
}

/** Resolves when `text` surely outlives the host. Only one call at a time for each file. Rejects with what the system says. */
export async function replaceDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await flushDirectory(dirname(file));
}

/** Resolves when the names in the directory surely outlive the host. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The file system of this host. */
export const systemFiles: DurableFiles = {
  read: (file) => readFileSync(file, 'utf8'),
  replace: replaceDurably,
  remove: unlink,
};
