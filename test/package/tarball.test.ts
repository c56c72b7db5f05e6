/** What a user installs: only what is meant for users, loadable both ways, and light. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Installed, installPacked, manifest, REPOSITORY } from './packed.js';

const HEAVY = ['ioredis', 'pino', 'zod', 'p-limit', 'bignumber.js'];
const SourceMap = z.object({ sources: z.array(z.string()) });

const RECORDER = pathToFileURL(join(import.meta.dirname, 'recordModules.mjs')).href;

let installed: Installed;
beforeAll(() => {
  installed = installPacked();
}, 60_000);
afterAll(() => installed.remove());

function modulesLoadedBy(code: string): string[] {
  const { exitCode, stdout, stderr } = installed.run(['--import', RECORDER, '--input-type=module', '--eval', code]);
  expect(exitCode, stderr).toBe(0);
  return stdout.split('\n').flatMap((line) => (line.startsWith('loaded ') ? [line.slice('loaded '.length)] : []));
}

const packagesIn = (urls: readonly string[]): string[] =>
  HEAVY.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`)));

describe('the tarball', () => {
  it('holds the built code, the papers and nothing else', () => {
    const schemas = readdirSync(join(REPOSITORY, 'schemas')).map((file) => `schemas/${file}`);
    const suites = readdirSync(join(REPOSITORY, 'suites')).map((file) => `suites/${file}`);
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', ...schemas, ...suites].toSorted();
    expect(installed.files.filter((path) => !path.startsWith('dist/')).toSorted()).toEqual(papers);
    expect(installed.files.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts|js\.map)$/.test(path))).toEqual([]);
  });

  it('holds nothing whose source is gone', () => {
    const maps = installed.files.filter((path) => path.endsWith('.js.map'));
    const sources = maps.flatMap((path) => {
      const map: unknown = JSON.parse(readFileSync(join(REPOSITORY, path), 'utf8'));
      return SourceMap.parse(map).sources.map((source) => join(REPOSITORY, path, '..', source));
    });
    expect(sources).toContain(join(REPOSITORY, 'src/errors.ts'));
    const declared = installed.files.flatMap((path) =>
      path.endsWith('.d.ts') ? [join(REPOSITORY, path.replace(/^dist\//, 'src/').replace(/\.d\.ts$/, '.ts'))] : [],
    );
    const orphans = [...sources, ...declared].filter((path) => !existsSync(path));
    expect(orphans, 'built files without a source: remove dist and build again').toEqual([]);
  });

  it('has every command that its manifest names, with a first line that starts Node.js', () => {
    for (const path of Object.values(manifest.bin)) {
      expect(installed.files).toContain(path);
      expect(readFileSync(join(REPOSITORY, path), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });
});

describe('the root import', () => {
  it('loads none of the heavy packages', () => {
    const urls = modulesLoadedBy(`await import('failflat')`);
    expect(urls.some((url) => url.endsWith('/failflat/dist/index.js'))).toBe(true);
    expect(packagesIn(urls)).toEqual([]);
  });

  it('is little more than one file: each further one costs about a millisecond on every start', () => {
    const own = modulesLoadedBy(`await import('failflat')`).filter((url) => url.includes('/failflat/dist/'));
    expect(own.map((url) => url.slice(url.indexOf('/dist/') + 1)).toSorted()).toEqual(['dist/chunks/root.js', 'dist/index.js']);
  });

  it('would be caught if it did', () => {
    const code = HEAVY.filter((name) => name in manifest.dependencies).map((name) => `await import('${name}');`);
    expect(packagesIn(modulesLoadedBy(code.join('\n')))).toEqual(HEAVY.filter((name) => name in manifest.dependencies));
  });

  it('loads the decimals when a ledger is made', () => {
    const urls = modulesLoadedBy(`const { createLedger } = await import('failflat'); await createLedger();`);
    expect(packagesIn(urls)).toEqual(['bignumber.js']);
  });

  it('works by require() as well', () => {
    const code = `const { FailflatError } = require('failflat'); console.log(typeof FailflatError)`;
    const { exitCode, stdout, stderr } = installed.run(['--input-type=commonjs', '--eval', code]);
    expect({ exitCode, stdout: stdout.trim(), stderr }).toMatchObject({ exitCode: 0, stdout: 'function' });
  });

  it('leaves nothing behind that keeps a process alive', () => {
    const { exitCode, stdout } = installed.run(['--input-type=module', '--eval', `await import('failflat'); console.log('done')`]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'done\n' });
  });
});
