/** All structural checks over one tree of sources. */
import { checkBans } from './bans.js';
import { checkCircles, checkLayers } from './layers.js';
import { checkShape } from './shape.js';
import { type Problem, readSources, type SourceFact } from './source.js';

/** The checks' names. Each is proved red by the fixture tree of its name. */
export const CHECKS = [
  'unknown-folder',
  'unresolved-import',
  'layer-order',
  'proof-imported-below',
  'face-imported',
  'domain-imports-domain',
  'sabotage-imported',
  'assembly-imported',
  'sabotage-named',
  'unknown-package',
  'eager-package',
  'computed-import',
  'circle',
  'banned-use',
  'long-file',
  'long-function',
  'no-introduction',
  'top-level-await',
] as const;

export function structureProblems(root: string, sources: readonly SourceFact[] = readSources(root)): Problem[] {
  return [...checkLayers(sources), ...checkCircles(sources), ...checkBans(sources), ...checkShape(sources)];
}

export const shown = ({ check, path, line, detail }: Problem): string => `${check}: ${path}:${line} ${detail}`;
