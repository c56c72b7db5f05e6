/** A mutant is left out only where it cannot change behaviour, with its reason, and each of them is counted here. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');
const REASON_CHARACTERS_MIN = 20;

/** How many are disabled, file by file. */
const COUNTED: Readonly<Record<string, number>> = {};

interface Disable {
  readonly mutators: string;
  readonly reason: string;
}

/** One line only, mutators by name: `// Stryker disable next-line Mutator: reason`. */
function disablesIn(text: string): readonly (Disable | string)[] {
  return [...text.matchAll(/Stryker disable.*/g)].map(([comment]) => {
    const { mutators, reason } = /^Stryker disable next-line (?<mutators>[A-Za-z, ]+): (?<reason>.+)$/.exec(comment)?.groups ?? {};
    return mutators === undefined || reason === undefined ? comment : { mutators, reason };
  });
}

const unfounded = (disable: Disable | string): boolean =>
  typeof disable === 'string' || /\ball\b/.test(disable.mutators) || disable.reason.length < REASON_CHARACTERS_MIN;

describe('mutants that are disabled', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const found = files.map((name) => [name, disablesIn(readFileSync(join(SOURCES, name), 'utf8'))] as const);

  it('each name their mutators and say why', () => {
    expect(found.flatMap(([name, disables]) => disables.filter(unfounded).map((disable) => [name, disable]))).toEqual([]);
  });

  it('are those that are counted, and no other', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(Object.fromEntries(found.filter(([, { length }]) => length > 0).map(([name, { length }]) => [name, length]))).toEqual(COUNTED);
  });

  it('would be seen: one without a reason, one of a whole file, one of every mutator', () => {
    const reason = 'the order of two equal times says nothing';
    expect(disablesIn(`// Stryker disable next-line EqualityOperator: ${reason}`).some(unfounded)).toBe(false);
    for (const wrong of ['next-line EqualityOperator', `all: ${reason}`, `next-line all: ${reason}`, 'next-line BlockStatement: why'])
      expect(disablesIn(`// Stryker disable ${wrong}`).some(unfounded), wrong).toBe(true);
  });
});
