/** What a person reads of a drill: a live timeline, a table of checks, the distribution of the timings. */

import type { DrillDocument } from './document.js';
import { quantile } from './quantile.js';
import type { DrillTimings } from './run.js';
import type { TimelineEntry } from './timeline.js';

export interface Palette {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain = (text: string): string => text;
const colour =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;

export function palette(colours: boolean): Palette {
  return colours ? { good: colour(32), bad: colour(31), faint: colour(2) } : { good: plain, bad: plain, faint: plain };
}

/** One line of the timeline: seconds since the run began. */
export function timelineLine(entry: TimelineEntry, startedMs: number, { faint }: Palette): string {
  return `${faint(`${((entry.atMs - startedMs) / 1_000).toFixed(3).padStart(8)} s`)}  ${entry.text}`;
}

export function checkTable(document: DrillDocument, { good, bad, faint }: Palette): string {
  const width = Math.max(...document.checks.map((check) => check.id.length));
  const lines = document.checks.map((check) => {
    const mark = check.passed ? good('pass') : bad('FAIL');
    return `  ${mark}  ${check.id.padEnd(width)}  ${check.name}\n        ${' '.repeat(width)}${faint(check.evidence)}`;
  });
  return ['Checks, named by their promise:', ...lines].join('\n');
}

const TIMINGS: readonly { readonly key: keyof DrillTimings; readonly words: string }[] = [
  { key: 'killToPanicMs', words: 'fault to panic_close' },
  { key: 'panicToBookEmptyMs', words: 'panic to book empty' },
  { key: 'panicToFlatVerifiedMs', words: 'panic to flat verified' },
  { key: 'killToFlatVerifiedMs', words: 'fault to flat verified' },
];

export function timingTable(timings: DrillTimings): string {
  const rows = TIMINGS.map(({ key, words }) => {
    const samples = timings[key];
    if (samples.length === 0) return `  ${words.padEnd(24)} –`;
    if (samples.length === 1) return `  ${words.padEnd(24)} ${quantile(samples, 0.5).toFixed(0).padStart(7)} ms`;
    const [p50, p99, max] = [quantile(samples, 0.5), quantile(samples, 0.99), quantile(samples, 1)];
    return `  ${words.padEnd(24)} p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms (${samples.length} runs)`;
  });
  return ['Timings:', ...rows].join('\n');
}

/** What was seen to be wrong first, and then what could not be seen. */
function failures({ checks, errors, runs }: DrillDocument): string {
  const ids = (missing: boolean) => checks.filter((check) => !check.passed && check.missing === missing).map(({ id }) => id);
  const [red, unseen] = [ids(false), ids(true)];
  return [
    ...(red.length === 0 ? [] : [`red on evidence: ${red.join(', ')}`]),
    ...(unseen.length === 0 ? [] : [`no evidence for: ${unseen.join(', ')}`]),
    ...(errors.length === 0 ? [] : [`no verdict in ${errors.length} of ${runs} runs: ${errors[0]?.error}`]),
  ].join('; ');
}

export function summary(document: DrillDocument, { good, bad }: Palette): string {
  const verdict = document.verdict === 'pass' ? good('PASS') : bad(`${document.verdict.toUpperCase()} (${failures(document)})`);
  const book = `${document.positionsAtKill} positions at the fault, ${document.positionsAfter} positions and ${document.openOrdersAfter} orders at the end`;
  const halted = `${document.ordersAttemptedAfterHalt} orders attempted after the halt, ${document.ordersAfterHalt} reached the venue`;
  const sabotage =
    document.sabotage === undefined
      ? []
      : [
          document.sabotage.caught
            ? `Sabotage ${document.sabotage.name}: caught, as it must be.`
            : `Sabotage ${document.sabotage.name}: NOT CAUGHT (unrelated red: ${document.sabotage.unrelatedRed.join(', ') || 'none'}).`,
        ];
  return [`${verdict}: exit verdict ${document.flatVerdict}, trading ${document.tradingState}; ${book}; ${halted}.`, ...sabotage].join(
    '\n',
  );
}
