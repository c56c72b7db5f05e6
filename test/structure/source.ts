/** Reads a tree of TypeScript sources into plain facts: its files and what each of them imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** In the place of a specifier that only the running program knows. */
export const COMPUTED = '<computed>';

export interface ImportFact {
  readonly line: number;
  /** As written: `./clock.js`, `node:fs`, `zod`. */
  readonly specifier: string;
  /** Path below the root of the file that a relative import names; undefined for packages. */
  readonly target: string | undefined;
  /** Names taken from it, as the module calls them. */
  readonly names: readonly string[];
  /** `static` loads the module with its importer, `dynamic` when asked, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

export interface SourceFact {
  /** Path below the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly ImportFact[];
}

export interface Problem {
  readonly check: string;
  readonly path: string;
  readonly line: number;
  readonly detail: string;
}

export function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function pathsBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return pathsBelow(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

function targetOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

function importedNames(clause: ts.ImportClause | undefined): { names: string[]; allTypes: boolean } {
  const bindings = clause?.namedBindings;
  const named = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
  const names = named.map((element) => (element.propertyName ?? element.name).text);
  if (clause?.name !== undefined) names.push('default');
  if (bindings !== undefined && ts.isNamespaceImport(bindings)) names.push('*');
  const typeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const allTypes = typeOnly || (names.length > 0 && names.length === named.length && named.every((element) => element.isTypeOnly));
  return { names, allTypes };
}

function exportedNames(node: ts.ExportDeclaration): string[] {
  if (node.exportClause === undefined || !ts.isNamedExports(node.exportClause)) return ['*'];
  return node.exportClause.elements.map((element) => (element.propertyName ?? element.name).text);
}

function importsOf(path: string, tree: ts.SourceFile): ImportFact[] {
  const found: ImportFact[] = [];
  const add = (node: ts.Node, specifier: string, names: readonly string[], kind: ImportFact['kind']) =>
    found.push({ line: lineOf(tree, node), specifier, target: targetOf(path, specifier), names, kind });
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const { names, allTypes } = importedNames(node.importClause);
      add(node, node.moduleSpecifier.text, names, allTypes ? 'type' : 'static');
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node, node.moduleSpecifier.text, exportedNames(node), node.isTypeOnly ? 'type' : 'static');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      const isPlain = specifier !== undefined && ts.isStringLiteralLike(specifier);
      add(node, isPlain ? specifier.text : COMPUTED, ['*'], 'dynamic');
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      add(node, node.argument.literal.text, ['*'], 'type');
    }
  });
  return found;
}

/** Every `.ts` file below `root`, parsed. */
export function readSources(root: string): SourceFact[] {
  return pathsBelow(root)
    .toSorted()
    .map((absolute) => {
      const path = relative(root, absolute).split(sep).join('/');
      const text = readFileSync(absolute, 'utf8');
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
      return { path, text, tree, imports: importsOf(path, tree) };
    });
}

/** The repository that this test stands in. */
export const REPOSITORY = dirname(dirname(import.meta.dirname));
