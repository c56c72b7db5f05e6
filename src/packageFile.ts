/** Finds a file of this package from wherever the asking code was built to. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) directory = dirname(directory);
  return directory;
}

/** An absolute path, whether or not the file is there. `path` is relative to the package's manifest. */
export function packageFile(path: string): string {
  return join(packageRoot(), path);
}
