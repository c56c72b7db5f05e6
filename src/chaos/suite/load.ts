/** Finds a suite: one that is shipped, by its name, or one of the user's own, by its file. */
import { readFile } from 'node:fs/promises';
import { ConfigurationError, messageOf } from '../../errors.js';
import { packageFile } from '../../packageFile.js';
import { parseWith } from '../../venue/parse.js';
import { type Suite, suiteSchema } from './schema.js';
import { SHIPPED_SUITES } from './shipped.js';

const isShipped = (name: string): boolean => SHIPPED_SUITES.some((shipped) => shipped === name);

/** Throws {@link ConfigurationError} naming the file, or the field with its value and bound. */
export async function loadSuite(nameOrFile: string): Promise<Suite> {
  const file = isShipped(nameOrFile) ? packageFile(`suites/${nameOrFile}.json`) : nameOrFile;
  const known = `must be one of ${SHIPPED_SUITES.join(', ')}, or a JSON file`;
  if (!file.endsWith('.json')) throw new ConfigurationError('suite', nameOrFile, known);
  let written: unknown;
  try {
    written = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigurationError('suite', nameOrFile, `${known} that can be read: ${messageOf(error)}`, { cause: error });
  }
  return parseWith(suiteSchema, written, 'suite');
}
