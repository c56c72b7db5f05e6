/** The house keeps its order; and each check that says so has been seen red. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bannedUses } from './bans.js';
import { CHECKS, shown, structureProblems } from './check.js';
import { REPOSITORY, readSources } from './source.js';

const FIXTURES = join(REPOSITORY, 'test/fixtures/structure');

describe('src', () => {
  const root = join(REPOSITORY, 'src');
  const sources = readSources(root);

  it('keeps layers, limits and bans', () => {
    expect(structureProblems(root, sources).map(shown)).toEqual([]);
  });

  it('was really read: many files and their imports', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap((source) => source.imports).length).toBeGreaterThan(20);
  });
});

describe('the checks', () => {
  it('each have a fixture tree of their name', () => {
    expect(readdirSync(FIXTURES).toSorted()).toEqual([...CHECKS, 'intact'].toSorted());
  });

  it.each(CHECKS)('%s turns red on its fixture, and alone', (check) => {
    const found = structureProblems(join(FIXTURES, check));
    expect(found.length, 'the fixture was not caught').toBeGreaterThan(0);
    expect([...new Set(found.map((problem) => problem.check))]).toEqual([check]);
  });

  it.each(CHECKS)('%s finds every planted line and no other', (check) => {
    const found = structureProblems(join(FIXTURES, check)).map(({ path, line }) => `${path}:${line}`);
    const planted = readSources(join(FIXTURES, check)).flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (line.includes('// planted') ? [`${path}:${index + 1}`] : [])),
    );
    if (check !== 'long-file') expect([...new Set(found)].toSorted()).toEqual(planted.toSorted());
  });

  it('stay green on an intact tree', () => {
    expect(structureProblems(join(FIXTURES, 'intact')).map(shown)).toEqual([]);
  });

  it('each banned use is recognised by its own name', () => {
    const [source] = readSources(join(FIXTURES, 'banned-use')).filter(({ path }) => path === 'watchdog/uses.ts');
    if (source === undefined) throw new Error('the fixture is gone');
    const lines = readFileSync(join(FIXTURES, 'banned-use/watchdog/uses.ts'), 'utf8').split('\n');
    for (const { use, line } of bannedUses(source)) expect(lines[line - 1]).toContain(`// planted ${use}`);
  });
});
