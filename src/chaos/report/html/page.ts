/** The report that a person reads: one file, with nothing to fetch and nothing to run. */
import type { Check } from '../../../drill/judge/evidence.js';
import type { Played, ScenarioResult } from '../../run/runScenario.js';
import { SCENARIO_NAMES } from '../../run/scenarios/catalogue.js';
import type { ChaosArtifact } from '../artifact.js';
import { firstFailures } from '../lookFirst.js';
import { chartOf } from './chart.js';
import { markedEvents } from './marks.js';
import { element, escaped, shownMs } from './markup.js';
import { pill, scoreboard } from './scoreboard.js';
import { STYLE } from './style.js';

export function htmlOf(results: readonly ScenarioResult[], artifact: ChaosArtifact): string {
  const body = element('main', {}, header(artifact), figures(results, artifact), overview(results), ...results.map(section));
  const head = element(
    'head',
    {},
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    element('title', {}, 'failflat chaos report'),
    element('style', {}, STYLE),
  );
  return `<!doctype html>\n${element('html', { lang: 'en' }, head, element('body', {}, body))}\n`;
}

function header({ validation_timestamp: at }: ChaosArtifact): string {
  const when = `${at.slice(0, 10)}, ${at.slice(11, 19)} UTC`;
  return (
    element('h1', {}, 'Chaos report') +
    element('p', { class: 'soft' }, `failflat, ${when}. Faults were real, in real processes, under a load of guarded orders.`)
  );
}

function figures(results: readonly ScenarioResult[], artifact: ChaosArtifact): string {
  const { resilience_metrics: metrics, fail_closed_behavior: closed, recovery_validation: recovery } = artifact;
  const passed = results.filter((result) => result.ran && result.judgement.verdict === 'passed').length;
  const figure = (value: string, what: string) => element('div', { class: 'figure' }, element('b', {}, value), element('span', {}, what));
  const score = metrics.overall_score;
  return element(
    'div',
    { class: 'figures' },
    figure(`${passed} of ${results.length}`, 'scenarios passed'),
    figure(score === null ? '–' : String(Math.round(score * 10) / 10), `mean score of 100: ${metrics.chaos_tolerance}`),
    figure(closed.activation_time_ms === null ? '–' : shownMs(closed.activation_time_ms), 'slowest to fail closed'),
    figure(recovery.recovery_time_p95_ms === null ? '–' : shownMs(recovery.recovery_time_p95_ms), 'recovery, 95 %'),
    figure(metrics.production_ready ? 'yes' : 'no', `production ready: ${passed} of the ${SCENARIO_NAMES.length} there are passed`),
  );
}

function overview(results: readonly ScenarioResult[]): string {
  return element('section', { class: 'card' }, element('h2', {}, 'Scoreboard'), scoreboard(results));
}

function section(result: ScenarioResult): string {
  const title = element('header', {}, element('h2', {}, escaped(result.scenario)), pill(result));
  const summary = element('p', {}, escaped(sentence(result.summary)));
  const inside = result.ran ? playedPart(result) : first([{ text: result.why, hint: 'What `failflat doctor` says of this host.' }]);
  return element('section', { class: 'card', id: result.scenario }, title, summary, inside);
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function playedPart(played: Played): string {
  const { facts, judgement, bus, totalMs } = played;
  const { before, during, after } = facts.health;
  const told = `Score ${judgement.score} of 100. Orders before, during and after the fault: ${before}, ${during}, ${after}. Bus ${bus}. The run took ${shownMs(totalMs)}.`;
  const objectives = judgement.objectives.map(({ name, met, evidence }) => line(met, name.replaceAll('_', ' '), evidence));
  return [
    element('p', { class: 'soft' }, escaped(told)),
    first(firstFailures(played)),
    chartOf(played),
    LEGEND,
    element('h3', {}, 'Events'),
    events(played),
    element('h3', {}, 'Objectives'),
    table(objectives),
    element(
      'details',
      { open: judgement.verdict === 'passed' ? undefined : '' },
      element('summary', {}, 'Safeguards that had to act, and what must not have happened'),
      table([...facts.mustFire, ...facts.mustNotFire].map(checkLine)),
    ),
  ].join('');
}

function first(failures: ReturnType<typeof firstFailures>): string {
  if (failures.length === 0) return '';
  const items = failures.slice(0, 3).map(({ text, hint }) => element('li', {}, code(text), element('small', {}, code(hint))));
  const more = failures.length > 3 ? element('small', {}, `${failures.length - 3} more below, which may follow from these.`) : '';
  return element('div', { class: 'first' }, element('b', {}, 'Look at this first'), element('ol', {}, ...items), more);
}

/** Words between back ticks as code. */
function code(text: string): string {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? element('code', {}, escaped(part)) : escaped(part)))
    .join('');
}

function events(played: Played): string {
  const { startedMs } = played.recording;
  const rows = markedEvents(played).map(({ atMs, text }, index) =>
    element(
      'tr',
      {},
      element('td', { class: 'number' }, String(index + 1)),
      element('td', { class: 'number' }, `${((atMs - startedMs) / 1_000).toFixed(2)} s`),
      element('td', {}, escaped(text)),
    ),
  );
  return element('div', { class: 'wide' }, element('table', {}, ...rows));
}

const table = (rows: readonly string[]): string => element('div', { class: 'wide' }, element('table', {}, ...rows));

const checkLine = ({ id, name, passed, evidence }: Check): string => line(passed, `${id}  ${name}`, evidence);

function line(passed: boolean, what: string, evidence: string): string {
  const mark = element('span', { class: `pill ${passed ? 'good' : 'bad'}` }, passed ? 'met' : 'missed');
  return element(
    'tr',
    {},
    element('td', {}, mark),
    element('td', { style: 'min-width:110px' }, escaped(what)),
    element('td', { class: 'soft' }, escaped(evidence)),
  );
}

const LEGEND = element(
  'div',
  { class: 'legend' },
  ...[
    ['--fault', 'fault'],
    ['--recovery', 'recovery'],
    ['--active', 'ACTIVE'],
    ['--reducing', 'REDUCING'],
    ['--halted', 'HALTED'],
    ['--alive', 'process alive, with its beats'],
    ['--stopped', 'stands still; processors in use'],
    ['--admitted', 'orders admitted'],
    ['--refused', 'orders refused'],
  ].map(([color, text]) => element('span', {}, element('i', { style: `background:var(${color})` }), text ?? '')),
);
