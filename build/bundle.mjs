/**
 * Gathers what tsc wrote to `dist/.modules` into few files in `dist`. An order service or an exit worker starts in half the time:
 * each file of its own costs about a millisecond on every start. Whatever the root needs at once is one file; what is loaded on
 * demand stays apart.
 */
import { readFileSync, rmSync } from 'node:fs';
import { isAbsolute, resolve, sep } from 'node:path';
import { rolldown } from 'rolldown';

const MODULES = resolve('dist/.modules');
const ROOT = resolve(MODULES, 'index.js');

/** @type {{ exports: Record<string, string | { default: string }>, bin: Record<string, string> }} */
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

const exported = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [target.default]));
// The last is started by the drill, as a process of its own.
const targets = [...exported, ...Object.values(manifest.bin), 'dist/drill/actors/main.js'];
const entries = targets.map((target) => target.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, ''));

/** @type {Set<string> | undefined} */
let neededByRoot;

/**
 * Everything that an import of the root loads at once.
 * @param {(id: string) => { importedIds: string[] } | null} infoOf
 */
function findNeededByRoot(infoOf) {
  /** @type {Set<string>} */
  const found = new Set();
  const waiting = [ROOT];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...(infoOf(next)?.importedIds ?? []));
  }
  return found;
}

/** @type {import('rolldown').Plugin} */
const moduleWithItsMap = {
  name: 'module-with-its-map',
  load(id) {
    if (!id.startsWith(MODULES + sep)) return null;
    return { code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') };
  },
};

// What an earlier build left there would be shipped.
rmSync('dist/chunks', { recursive: true, force: true });

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, resolve(MODULES, `${entry}.js`)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  plugins: [moduleWithItsMap],
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  sourcemap: true,
  // They stand in the declarations, where an editor looks for them.
  comments: false,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  codeSplitting: {
    groups: [
      {
        debugName: 'root',
        name(id, modules) {
          neededByRoot ??= findNeededByRoot((module) => modules.getModuleInfo(module));
          return neededByRoot.has(id) ? 'root' : null;
        },
      },
    ],
  },
});
await bundle.close();
