/** The results as JUnit XML: what a build server shows. */
import type { ScenarioResult } from '../run/runScenario.js';

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

/** XML 1.0 has no way to write the others down. */
function isAllowed(character: string): boolean {
  const point = character.codePointAt(0) ?? 0;
  const isWhite = point === 0x9 || point === 0xa || point === 0xd;
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return isWhite || (point >= 0x20 && !isSurrogate && point !== 0xfffe && point !== 0xffff);
}

/** Characters that XML cannot hold at all are left out. */
function escaped(text: string): string {
  return Array.from(text)
    .filter(isAllowed)
    .map((character) => ENTITIES.get(character) ?? character)
    .join('');
}

/** NOT RUN and INCONCLUSIVE are errors: a build server would take a skipped test for a passed one. */
function outcomeOf(result: ScenarioResult): string | undefined {
  if (!result.ran) return `<error message="${escaped(`NOT RUN: ${result.why}`)}"/>`;
  const { verdict, problems } = result.judgement;
  if (verdict === 'passed') return undefined;
  const text = escaped(problems.join('\n'));
  return verdict === 'failed'
    ? `<failure message="${escaped(problems[0] ?? 'failed')}">${text}</failure>`
    : `<error message="INCONCLUSIVE: ${escaped(problems[0] ?? '')}">${text}</error>`;
}

export function junitOf(results: readonly ScenarioResult[]): string {
  const outcomes = results.map(outcomeOf);
  const count = (element: string) => outcomes.filter((outcome) => outcome?.startsWith(`<${element}`) === true).length;
  const cases = results.map((result, index) => {
    const seconds = result.ran ? (result.totalMs / 1_000).toFixed(3) : '0';
    const open = `    <testcase classname="failflat.chaos" name="${escaped(result.scenario)}" time="${seconds}"`;
    const outcome = outcomes[index];
    return outcome === undefined ? `${open}/>` : `${open}>\n      ${outcome}\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${results.length}" failures="${count('failure')}" errors="${count('error')}">`,
    `  <testsuite name="failflat chaos" tests="${results.length}" failures="${count('failure')}" errors="${count('error')}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
