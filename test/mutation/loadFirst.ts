/**
 * Loads every module of the mutated folder before the first test: what a module does as it is loaded is then put down to no single test, also
 * where a test is the first to load it, and judged by all of them. One that cannot be loaded is left to the test of that.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mutatedFolder } from './folders.mjs';

const source = join(import.meta.dirname, '../../src', mutatedFolder());
for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.ts')) await import(join(source, file)).catch(() => undefined);
}
