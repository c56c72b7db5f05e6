/** The shape of each file: small, introduced by its first line, loadable by `require`, and free of switches that weaken a safeguard. */
import ts from 'typescript';
import { lineOf, type Problem, type SourceFact, walk } from './source.js';

/** The aim is 300; the rest is room for a doc comment that would be worse for being cut. */
const FILE_LINES_MAX = 330;
const FUNCTION_LINES_MAX = 70;

/** Where the drill's vocabulary may be spoken: everywhere else a name with this word would be a switch inside production code. */
const SABOTAGE_WORD = /sabotage/i;
const MAY_SAY_SABOTAGE = ['drill/', 'rig/', 'simulation/', 'chaos/', 'cli/'];

function linesOf(tree: ts.SourceFile, node: ts.Node): number {
  const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
  return tree.getLineAndCharacterOfPosition(node.getEnd()).line - first + 1;
}

function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  return ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : 'a function';
}

function awaitsAtTop(tree: ts.SourceFile): ts.Node | undefined {
  let found: ts.Node | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node) || ts.isPropertyDeclaration(node)) return;
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) found ??= node;
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

export function checkShape(sources: readonly SourceFact[]): Problem[] {
  const problems: Problem[] = [];
  for (const { path, text, tree } of sources) {
    const complain = (check: string, line: number, detail: string) => problems.push({ check, path, line, detail });
    const lines = text.replace(/\n$/, '').split('\n').length;
    if (lines > FILE_LINES_MAX) complain('long-file', lines, `${lines} lines, at most ${FILE_LINES_MAX}`);
    if (!/^(#!.*\n)?\/\*\*/.test(text)) complain('no-introduction', 1, 'begins with a doc comment that says what the file decides or does');
    const awaited = awaitsAtTop(tree);
    if (awaited !== undefined) complain('top-level-await', lineOf(tree, awaited), 'keeps require() from working');
    const mayName = MAY_SAY_SABOTAGE.some((prefix) => path.startsWith(prefix));
    walk(tree, (node) => {
      if (ts.isFunctionLike(node) && 'body' in node && linesOf(tree, node) > FUNCTION_LINES_MAX) {
        complain('long-function', lineOf(tree, node), `${nameOf(node)}: ${linesOf(tree, node)} lines, at most ${FUNCTION_LINES_MAX}`);
      }
      const named = ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isStringLiteralLike(node);
      if (!mayName && named && SABOTAGE_WORD.test(node.text)) {
        complain('sabotage-named', lineOf(tree, node), `${node.text}: production code knows of no broken variant`);
      }
    });
  }
  return problems;
}
