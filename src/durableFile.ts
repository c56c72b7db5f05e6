/** Replaces a small file so that after a crash of process or host it holds the old text or the new one, whole. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

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
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
