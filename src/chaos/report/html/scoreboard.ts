/** All scenarios at a glance: verdict, score, and how much of the fault there was. */
import type { Dose } from '../../run/facts.js';
import type { Played, ScenarioResult } from '../../run/runScenario.js';
import { verdictOf } from '../words.js';
import { element, escaped, shownMs } from './markup.js';

const CLASS_OF = { PASSED: 'good', FAILED: 'bad', INCONCLUSIVE: 'warn', 'NOT RUN': 'warn' } as const;

export function pill(result: ScenarioResult): string {
  const verdict = verdictOf(result);
  return element('span', { class: `pill ${CLASS_OF[verdict]}` }, verdict);
}

const HEADS = ['scenario', 'verdict', 'score', 'dose', 'failed closed', 'recovery', 'refused or lost'];

export function scoreboard(results: readonly ScenarioResult[]): string {
  const head = element('tr', {}, ...HEADS.map((text) => element('th', { class: text === 'score' ? 'number' : undefined }, text)));
  return element('div', { class: 'wide' }, element('table', {}, head, ...results.map(row)));
}

function row(result: ScenarioResult): string {
  const name = element('a', { href: `#${result.scenario}` }, escaped(result.scenario));
  const cells = result.ran ? playedCells(result) : [element('td', { colspan: 5, class: 'soft' }, escaped(result.why))];
  return element('tr', {}, element('td', {}, name), element('td', {}, pill(result)), ...cells);
}

function playedCells({ facts, judgement }: Played): string[] {
  const { activation, recovery, orders, doses } = facts;
  const closed =
    activation === undefined
      ? element('span', { class: 'soft' }, 'nothing had to')
      : `${shownMs(activation.activatedMs)} ${element('small', { class: 'soft' }, `of ${shownMs(activation.boundMs)}, ${escaped(activation.promise)}`)}`;
  return [
    element('td', { class: 'number' }, element('b', {}, String(judgement.score))),
    element('td', { class: 'dose' }, ...doses.map(dose)),
    element('td', { class: 'tight' }, closed),
    element('td', { class: 'tight' }, shownMs(recovery.recoveredMs)),
    element('td', { class: 'tight' }, `${orders.failed} of ${orders.shouldHaveBeenAdmitted}`),
  ];
}

export function dose({ what, measured, target, unit }: Dose): string {
  const share = target <= 0 ? 1 : Math.min(1, measured / target);
  const bar = element('i', { class: share < 1 ? 'short' : undefined, style: `width:${Math.round(share * 100)}%` });
  const text = `${measured.toLocaleString('en-US')} ${unit}, ${target.toLocaleString('en-US')} needed`;
  return element('div', { title: what }, escaped(text), element('div', { class: 'bar' }, bar), element('small', {}, escaped(what)));
}
