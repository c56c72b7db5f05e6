/** Uses of time, chance and the process that only one file may have: everything else is handed what it needs. */
import ts from 'typescript';
import { lineOf, type Problem, type SourceFact, walk } from './source.js';

/** What is banned, by the file that owns it. A name ending in `*` stands for every name that begins so. */
const OWNERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Date.now', ['clock.ts']],
  ['new Date()', ['clock.ts']],
  ['performance.*', ['clock.ts']],
  ['process.hrtime', ['clock.ts']],
  ['process.uptime', ['clock.ts']],
  ['setTimeout', ['clock.ts']],
  ['setInterval', ['clock.ts']],
  // The manual clock and the simulation let promises settle between two of their own timers.
  ['setImmediate', ['clock.ts', 'testing/manualClock.ts', 'simulation/kernel/drain.ts']],
  ['AbortSignal.timeout', ['clock.ts']],
  ['import node:timers', ['clock.ts']],
  ['import node:timers/promises', ['clock.ts']],
  ['import node:perf_hooks', ['clock.ts']],
  ['Math.random', ['random.ts']],
  ['crypto.random*', ['random.ts']],
  ['crypto.getRandomValues', ['random.ts']],
  ['process.exit', ['process/exit.ts']],
  ['process.abort', ['process/exit.ts']],
  ['process.reallyExit', ['process/exit.ts']],
  ['process.on', ['process/events.ts']],
  ['process.once', ['process/events.ts']],
  ['process.addListener', ['process/events.ts']],
  ['process.prependListener', ['process/events.ts']],
  ['process.env', ['process/environment.ts']],
  ['process.loadEnvFile', ['process/environment.ts']],
  // Its members would arrive without the word `process` in front, where nobody sees them.
  ['import node:process', []],
]);

const BANNED_MODULES: ReadonlySet<string> = new Set(['timers', 'timers/promises', 'perf_hooks', 'process']);
const BARE_TIMERS: ReadonlySet<string> = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const RANDOM_NAME = /^(random[A-Z]\w*|getRandomValues)$/;
/** Objects whose members are banned, also when they are reached through a destructuring or a string. */
const WATCHED_ROOTS: ReadonlySet<string> = new Set(['Date', 'performance', 'process', 'AbortSignal', 'Math', 'crypto', 'globalThis']);

function ownersOf(use: string): readonly string[] | undefined {
  const exact = OWNERS.get(use);
  if (exact !== undefined) return exact;
  for (const [name, owners] of OWNERS) if (name.endsWith('*') && use.startsWith(name.slice(0, -1))) return owners;
  return undefined;
}

/** `a.b`, `a['b']` and `globalThis.a.b` as the text `a.b`; undefined for anything less plain. */
function dottedName(node: ts.Expression): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return dottedName(node.expression);
  const member = ts.isPropertyAccessExpression(node)
    ? node.name.text
    : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
      ? node.argumentExpression.text
      : undefined;
  if (member === undefined || !(ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node))) return undefined;
  const owner = dottedName(node.expression);
  return owner === 'globalThis' ? member : `${owner ?? ''}.${member}`;
}

function memberUse(node: ts.Node): string | undefined {
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return undefined;
  const name = dottedName(node);
  const last = name?.split('.').at(-1) ?? '';
  return RANDOM_NAME.test(last) ? `crypto.${last}` : name;
}

/** A bare timer by its own name: called, passed on or renamed, but not as the name of somebody's property. */
function timerUse(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || !BARE_TIMERS.has(node.text)) return undefined;
  const parent = node.parent;
  const isPropertyName =
    ts.isImportSpecifier(parent) ||
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertySignature(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isMethodDeclaration(parent)) &&
      parent.name === node);
  return isPropertyName ? undefined : node.text;
}

function dateUse(node: ts.Node): string | undefined {
  const constructs = ts.isNewExpression(node) || ts.isCallExpression(node);
  if (!constructs || dottedName(node.expression) !== 'Date') return undefined;
  // With an argument it formats or parses a reading that was given; without one it takes a reading. A plain call always takes one.
  return ts.isCallExpression(node) || (node.arguments?.length ?? 0) === 0 ? 'new Date()' : undefined;
}

function destructuredUses(node: ts.Node): string[] {
  if (!ts.isVariableDeclaration(node) || node.initializer === undefined || !ts.isObjectBindingPattern(node.name)) return [];
  const root = dottedName(node.initializer);
  if (root === undefined || !WATCHED_ROOTS.has(root)) return [];
  return node.name.elements.map((element) => {
    const member = (element.propertyName ?? element.name).getText();
    return root === 'globalThis' ? member : `${root}.${member}`;
  });
}

function importUses(source: SourceFact): { use: string; line: number }[] {
  return source.imports.flatMap(({ specifier, names, line }) => {
    const module = specifier.replace(/^node:/, '');
    if (BANNED_MODULES.has(module)) return [{ use: `import node:${module}`, line }];
    if (module !== 'crypto') return [];
    return names.filter((name) => RANDOM_NAME.test(name)).map((name) => ({ use: `crypto.${name}`, line }));
  });
}

/** The banned uses of one file, its own privileges aside. */
export function bannedUses(source: SourceFact): { use: string; line: number }[] {
  const found = importUses(source);
  walk(source.tree, (node) => {
    const uses = [memberUse(node), timerUse(node), dateUse(node), ...destructuredUses(node)];
    for (const use of new Set(uses))
      if (use !== undefined && ownersOf(use) !== undefined) found.push({ use, line: lineOf(source.tree, node) });
  });
  return found.filter(({ use }) => ownersOf(use)?.includes(source.path) !== true);
}

export function checkBans(sources: readonly SourceFact[]): Problem[] {
  return sources.flatMap((source) =>
    bannedUses(source).map(({ use, line }) => ({
      check: 'banned-use',
      path: source.path,
      line,
      detail: `${use} belongs to ${ownersOf(use)?.join(', ') || 'nobody'}`,
    })),
  );
}
