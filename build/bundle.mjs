/**
 * Gathers what tsc wrote to `dist/.modules` into few files in `dist`. An order service or an exit worker starts in half the time:
 * each file of its own costs about a millisecond on every start. Whatever the root needs at once is one file; what is loaded on
 * demand stays apart.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/**
 * An `import` of one of Node's own modules builds a face of it that reads every member, and those of `node:fs` load its streams: a fifth
 * of what an import of the root costs. What is asked for by name costs nothing. Line by line, so that the maps still hold.
 * @param {string} code
 */
function withBuiltinsByName(code) {
  return code.replace(
    /^import \{([^}]*)\} from ("node:[a-z/_]+");$/gm,
    (_line, /** @type {string} */ names, /** @type {string} */ module) => {
      return `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule(${module});`;
    },
  );
}

// What an earlier build left there would be shipped.
rmSync('dist/chunks', { recursive: true, force: true });

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, resolve(MODULES, `${entry}.js`)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  plugins: [moduleWithItsMap],
});
const { output } = await bundle.write({
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
for (const { type, fileName, ...rest } of output) {
  if (type === 'chunk' && 'code' in rest) writeFileSync(resolve('dist', fileName), withBuiltinsByName(rest.code));
}
