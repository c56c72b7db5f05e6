/** Which folder may import which: the order of the house, ground first. */
import { COMPUTED, type ImportFact, type Problem, type SourceFact } from './source.js';

/** Where a file stands. `adapter` and `domain` are neighbours that never see each other; the face is imported by nobody. */
type Layer = 'ground' | 'port' | 'adapter' | 'domain' | 'shell' | 'face' | 'proof' | 'command';

/** A path is placed by its longest prefix here. A path that none of them fits is a problem: a new folder must take its place first. */
const LAYER_OF_PREFIX: ReadonlyMap<string, Layer> = new Map([
  ['clock.ts', 'ground'],
  ['printable.ts', 'ground'],
  ['random.ts', 'ground'],
  ['errors.ts', 'ground'],
  ['permission.ts', 'ground'],
  ['checks.ts', 'ground'],
  ['deadline.ts', 'ground'],
  ['abort.ts', 'ground'],
  ['durableFile.ts', 'ground'],
  ['logger.ts', 'ground'],
  ['host.ts', 'ground'],
  ['packageFile.ts', 'ground'],
  ['onDemand.ts', 'ground'],
  ['messages/', 'ground'],
  ['bus/bus.ts', 'port'],
  ['broker/', 'port'],
  ['bus/', 'adapter'],
  ['brokers/', 'adapter'],
  ['audit/', 'domain'],
  ['tradingState/', 'domain'],
  ['tradingLease/', 'domain'],
  ['shutdownGate/', 'domain'],
  ['killSwitch/', 'domain'],
  // They read the environment.
  ['killSwitch/envSource.ts', 'shell'],
  ['killSwitch/fileSource.ts', 'shell'],
  ['exitBrain/', 'domain'],
  ['watchdog/', 'domain'],
  ['emergencyExit/', 'domain'],
  ['alert/', 'domain'],
  ['breakers/', 'domain'],
  ['ledger/', 'domain'],
  ['process/', 'shell'],
  ['http/', 'shell'],
  ['roles/', 'shell'],
  ['venue/', 'shell'],
  ['supervisor/', 'shell'],
  ['index.ts', 'face'],
  ['testing/', 'proof'],
  ['rig/', 'proof'],
  ['drill/', 'proof'],
  ['chaos/', 'proof'],
  ['simulation/', 'proof'],
  ['cli/', 'command'],
]);

const MAY_IMPORT: Readonly<Record<Layer, readonly Layer[]>> = {
  ground: ['ground'],
  port: ['ground', 'port'],
  adapter: ['ground', 'port', 'adapter'],
  domain: ['ground', 'port', 'domain'],
  shell: ['ground', 'port', 'adapter', 'domain', 'shell'],
  face: ['ground', 'port', 'adapter', 'domain', 'shell'],
  proof: ['ground', 'port', 'adapter', 'domain', 'shell', 'proof'],
  command: ['ground', 'port', 'adapter', 'domain', 'shell', 'proof', 'command'],
};

/** What a domain folder may use of another one: plain functions and ports, never its shell. */
const SHARED_DOMAIN_PATHS = ['audit/', 'tradingState/', 'alert/alert.ts'];

/** The only places that put a safeguard's broken variant in the place of the intact one. */
const SABOTAGE_IMPORTERS = ['drill/', 'simulation/', 'chaos/'];

/** Who loads a module that an operator named: a broker, a strategy's decisions, the subject of a storm. */
const COMPUTED_IMPORTERS = ['brokers/openBroker.ts', 'roles/decideModule.ts', 'chaos/storm/subject.ts'];

/** Packages, and the folders that may load them together with themselves. Elsewhere they are imported when asked for. */
const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  // Decimals are one file's alone; the ledger that needs them is itself imported when one is made.
  ['bignumber.js', ['ledger/exact.ts']],
  ['ioredis', []],
  // Types alone: the user's own module is handed in.
  ['fast-check', ['testing/']],
  ['p-limit', ['cli/', 'drill/', 'rig/', 'venue/', 'brokers/']],
  ['pino', ['cli/', 'drill/', 'rig/', 'venue/', 'brokers/']],
  ['zod', ['cli/', 'drill/', 'rig/', 'venue/', 'brokers/', 'chaos/suite/']],
]);

const isSabotage = (path: string): boolean => path.split('/').includes('sabotage');
const startsWithAny = (path: string, prefixes: readonly string[]): boolean => prefixes.some((prefix) => path.startsWith(prefix));

function layerOf(path: string): Layer | undefined {
  const prefix = [...LAYER_OF_PREFIX.keys()]
    .filter((candidate) => (candidate.endsWith('/') ? path.startsWith(candidate) : path === candidate))
    .toSorted((a, b) => b.length - a.length)[0];
  return prefix === undefined ? undefined : LAYER_OF_PREFIX.get(prefix);
}

/** The unit of ownership: the folder directly below the root, or two levels where adapters share one (`bus/journal`). */
function folderOf(path: string): string {
  const parts = path.split('/');
  return layerOf(path) === 'adapter' && parts.length > 2 ? parts.slice(0, 2).join('/') : (parts[0] ?? path);
}

type Complain = (check: string, detail: string) => void;

function checkOwnImport(from: SourceFact, fact: ImportFact, target: string, paths: ReadonlySet<string>, complain: Complain): void {
  if (!paths.has(target)) return complain('unresolved-import', `${fact.specifier} names no source file`);
  const fromLayer = layerOf(from.path);
  const toLayer = layerOf(target);
  if (fromLayer === undefined || toLayer === undefined) return;
  if (!MAY_IMPORT[fromLayer].includes(toLayer)) {
    const check = toLayer === 'proof' ? 'proof-imported-below' : toLayer === 'face' ? 'face-imported' : 'layer-order';
    return complain(check, `${fromLayer} imports ${toLayer} (${target})`);
  }
  if (
    fromLayer === 'domain' &&
    folderOf(from.path) !== folderOf(target) &&
    toLayer === 'domain' &&
    !startsWithAny(target, SHARED_DOMAIN_PATHS)
  ) {
    complain('domain-imports-domain', `${target} belongs to another folder`);
  }
}

function checkSabotageSeam(from: SourceFact, fact: ImportFact, target: string, complain: Complain): void {
  const maySabotage = startsWithAny(from.path, SABOTAGE_IMPORTERS);
  if (isSabotage(target) && !isSabotage(from.path) && !maySabotage)
    complain('sabotage-imported', `${target} is for the drill and the simulation alone`);
  const assembles = fact.names.some((name) => /^(assemble|intact)[A-Z]/.test(name));
  if (assembles && folderOf(from.path) !== folderOf(target) && !maySabotage && !isSabotage(from.path)) {
    complain('assembly-imported', `${fact.names.join(', ')}: only the drill and the simulation compose a shell from replaceable parts`);
  }
}

function checkPackageImport(from: SourceFact, fact: ImportFact, complain: Complain): void {
  if (fact.specifier === COMPUTED) {
    if (!COMPUTED_IMPORTERS.includes(from.path)) complain('computed-import', 'only a module that an operator names may be computed');
    return;
  }
  if (fact.specifier.startsWith('node:')) return;
  const name = fact.specifier.split('/', fact.specifier.startsWith('@') ? 2 : 1).join('/');
  const eagerFolders = PACKAGES.get(name);
  if (eagerFolders === undefined) return complain('unknown-package', `${name} is not among the packages that src may use`);
  if (fact.kind === 'static' && !startsWithAny(from.path, eagerFolders)) {
    complain('eager-package', `${name} must be imported when asked for, not together with ${folderOf(from.path)}`);
  }
}

export function checkLayers(sources: readonly SourceFact[]): Problem[] {
  const problems: Problem[] = [];
  const paths = new Set(sources.map((source) => source.path));
  for (const source of sources) {
    if (layerOf(source.path) === undefined) {
      problems.push({ check: 'unknown-folder', path: source.path, line: 1, detail: 'has no place in the order of layers' });
    }
    for (const fact of source.imports) {
      const complain: Complain = (check, detail) => problems.push({ check, path: source.path, line: fact.line, detail });
      if (fact.target === undefined) checkPackageImport(source, fact, complain);
      else {
        checkOwnImport(source, fact, fact.target, paths, complain);
        checkSabotageSeam(source, fact, fact.target, complain);
      }
    }
  }
  return problems;
}

/** One problem for each import that closes a circle, types included: two files that need each other are one concept or three. */
export function checkCircles(sources: readonly SourceFact[]): Problem[] {
  const problems: Problem[] = [];
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const finished = new Set<string>();
  const visit = (source: SourceFact, trail: readonly string[]): void => {
    const here = [...trail, source.path];
    for (const { target, line } of source.imports) {
      const next = target === undefined ? undefined : byPath.get(target);
      if (next === undefined || finished.has(next.path)) continue;
      const start = here.indexOf(next.path);
      if (start < 0) visit(next, here);
      else problems.push({ check: 'circle', path: source.path, line, detail: [...here.slice(start), next.path].join(' → ') });
    }
    finished.add(source.path);
  };
  for (const source of sources) if (!finished.has(source.path)) visit(source, []);
  return problems;
}
