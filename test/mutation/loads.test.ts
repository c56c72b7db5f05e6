/**
 * A module that cannot be loaded takes the tests of every file that imports it with it, and a run without tests looks like one
 * without failures: here a mutant that does that fails a test.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FOLDERS, mutatedFolder } from './folders.mjs';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');
const folders = process.env['MUTATED_FOLDER'] === undefined ? FOLDERS : [mutatedFolder()];
const modules = folders.flatMap((folder) =>
  readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

it.each(modules)('%s can be loaded', async (module) => {
  await expect(import(join(SOURCES, module))).resolves.toBeTypeOf('object');
});
