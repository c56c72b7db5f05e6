/**
 * A mutant that no module can be loaded with makes whole files fail, and none of their tests: to a runner that counts tests it looks
 * alive. Here it is a test that fails.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FOLDERS } from './folders.mjs';

const folders = process.env['MUTATED_FOLDER'] === undefined ? FOLDERS : [process.env['MUTATED_FOLDER']];

describe.each(folders)('src/%s', (folder) => {
  const modules = readdirSync(join('src', folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

  it('has modules', () => {
    expect(modules.length).toBeGreaterThan(0);
  });

  it.each(modules)('%s loads', async (file) => {
    const loaded: unknown = await import(join(import.meta.dirname, '../../src', folder, file));
    expect(loaded).toBeTypeOf('object');
  });
});
