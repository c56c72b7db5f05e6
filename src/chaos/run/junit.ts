/** The results as JUnit XML: what a build server shows. */
import type { ScenarioResult } from './runScenario.js';

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

/** Characters that XML cannot hold at all are left out. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those that XML 1.0 forbids
  // oxlint-disable-next-line no-control-regex
  const allowed = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
  return allowed.replaceAll(/[&<>"]/g, (character) => ENTITIES.get(character) ?? character);
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
