/** The package as a user gets it: packed, unpacked into a directory of its own, beside its dependencies. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

export const REPOSITORY = join(import.meta.dirname, '../..');

const Manifest = z.object({ name: z.string(), dependencies: z.record(z.string(), z.string()), bin: z.record(z.string(), z.string()) });
const PackReport = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }));

export const manifest = Manifest.parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));

export interface Installed {
  /** A directory whose `node_modules` holds the package. */
  readonly directory: string;
  /** Paths inside the tarball. */
  readonly files: readonly string[];
  run(args: readonly string[]): { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string };
  remove(): void;
}

export function installPacked(): Installed {
  if (!existsSync(join(REPOSITORY, 'dist/index.js'))) throw new Error('dist/index.js is missing: run `npm run build` first');
  const directory = mkdtempSync(join(tmpdir(), 'failflat-packed-'));
  const report = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // Its own manifest, or a name of ours in some directory above would be what `failflat` means here.
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true }));
  const [packed] = PackReport.parse(JSON.parse(report));
  if (packed === undefined) throw new Error('npm pack reported nothing');
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, manifest.name), { recursive: true });
  execFileSync('tar', ['-xzf', join(directory, packed.filename), '-C', join(modules, manifest.name), '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) symlinkSync(join(REPOSITORY, 'node_modules', name), join(modules, name));
  return {
    directory,
    files: packed.files.map((file) => file.path),
    run(args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
      return { exitCode: status, stdout, stderr };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
