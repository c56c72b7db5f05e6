/** What a person reads of a chaos run, in a terminal and in the Markdown report. */

import type { Played, ScenarioResult } from '../run/runScenario.js';
import type { ChaosArtifact } from './artifact.js';

export function verdictOf(result: ScenarioResult): 'PASSED' | 'FAILED' | 'INCONCLUSIVE' | 'NOT RUN' {
  if (!result.ran) return 'NOT RUN';
  return ({ passed: 'PASSED', failed: 'FAILED', inconclusive: 'INCONCLUSIVE' } as const)[result.judgement.verdict];
}

function playedLines({ judgement, facts, bus }: Played): string[] {
  return [
    `Score ${judgement.score} of 100, on ${bus}. Orders before, during and after: ${facts.health.before}, ${facts.health.during}, ${facts.health.after}.`,
    ...facts.doses.map(({ what, measured, unit, target }) => `Dose: ${what} ${measured} ${unit}, ${target} needed.`),
    ...judgement.objectives.map(({ name, met, evidence }) => `${met ? 'met ' : 'MISSED'}  ${name}: ${evidence}`),
    ...[...facts.mustFire, ...facts.mustNotFire].map(
      ({ id, passed, name, evidence }) => `${passed ? 'pass' : 'FAIL'}  ${id}  ${name}: ${evidence}`,
    ),
    ...judgement.problems.map((problem) => `Look first at ${problem}`),
  ];
}

export function linesOf(result: ScenarioResult): readonly string[] {
  return [
    `${verdictOf(result)}: ${result.scenario}`,
    ...(result.ran ? playedLines(result).map((line) => `  ${line}`) : [`  ${result.why}`]),
  ];
}

export function markdownOf(results: readonly ScenarioResult[], artifact: ChaosArtifact): string {
  const { resilience_metrics: metrics, validation_timestamp: at } = artifact;
  const head = [
    '# Chaos run',
    '',
    `${at}. Score ${metrics.overall_score ?? 'none'}, tolerance ${metrics.chaos_tolerance}, production ready: ${metrics.production_ready ? 'yes' : 'no'}.`,
    '',
    '| scenario | verdict | score | fail-closed | recovery |',
    '| --- | --- | --- | --- | --- |',
    ...results.map((result) => {
      if (!result.ran) return `| ${result.scenario} | NOT RUN | | | |`;
      const { activation, recovery } = result.facts;
      const shown = (ms: number | undefined) => (ms === undefined ? 'never' : `${Math.round(ms)} ms`);
      return `| ${result.scenario} | ${verdictOf(result)} | ${result.judgement.score} | ${activation === undefined ? 'none due' : shown(activation.activatedMs)} | ${shown(recovery.recoveredMs)} |`;
    }),
  ];
  const parts = results.map((result) => [
    '',
    `## ${result.scenario}`,
    '',
    result.summary,
    '',
    ...linesOf(result)
      .slice(1)
      .map((line) => `- ${line.trim()}`),
  ]);
  return [...head, ...parts.flat(), ''].join('\n');
}
