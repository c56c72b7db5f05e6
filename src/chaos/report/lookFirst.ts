/** What to look at first where a scenario did not pass: what was seen to be wrong before what only follows from it. */
import type { Check } from '../../drill/judge/evidence.js';
import type { Played } from '../run/runScenario.js';

export interface Failure {
  readonly text: string;
  /** Where to look, for a person. */
  readonly hint: string;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^too little|^the fault|^no dose/, 'The fault itself: what `failflat doctor` says of this host, and how busy it was.'],
  [/^L1|^S11/, 'The watchdog: its beats in the lanes, its rules, and whether it was itself starved of a processor.'],
  [/^L4|^S7\.return|^L3/, 'The order door of the strategy: which permission it asks, and how old that was when it answered.'],
  [/^S1\b|^S1\./, 'Where the exit raises its halt, and whether every order passes the guard.'],
  [/^S5|^L2|^S6|^S4/, 'The exit worker: its audit entries behind the panic, and the books of the venue.'],
  [/^S7/, 'The latch of the trading state: its epochs and halts in the audit record.'],
  [/^S8/, 'Whoever panicked: the reason in the panic, and the age of the last beat that it had seen.'],
  [/^S2/, 'The in-flight journal of the guard: orders that were admitted and never seen at the venue.'],
  [/^L7/, 'The alert webhook: whether it was reached, and when.'],
  [/^recovery/, 'The lanes after the end of the fault: who does not beat, and which mode trading was left in.'],
  [/^error_rate|^latency/, 'The plots of orders outside the fault: refusals or a slow venue there are not its doing.'],
];

const hintFor = (text: string): string => HINTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'The timeline of the run.';

/** Checks that failed on what they saw come first; those that lacked their evidence follow from something else. */
export function firstFailures({ facts, judgement }: Pick<Played, 'facts' | 'judgement'>): readonly Failure[] {
  if (judgement.verdict === 'passed') return [];
  const checks = [...facts.mustFire, ...facts.mustNotFire].filter(({ passed }) => !passed);
  const shown = (check: Check) => `${check.id} ${check.name}: ${check.evidence}`;
  const onEvidence = checks.filter(({ missing }) => !missing).map(shown);
  const lacking = checks.filter(({ missing }) => missing).map(shown);
  const others = judgement.problems.filter((problem) => !problem.startsWith('fail_closed:'));
  const weak = others.filter((problem) => !/^(error_rate|latency|recovery):/.test(problem));
  const objectives = others.filter((problem) => !weak.includes(problem));
  // A promise that was kept too late shows in no check.
  const late = judgement.problems.filter((problem) => problem.startsWith('fail_closed:') && checks.length === 0);
  return [...weak, ...onEvidence, ...late, ...objectives, ...lacking].map((text) => ({ text, hint: hintFor(text) }));
}
