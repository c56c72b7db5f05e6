/** One run as a person reads it: faults, panics, halts, closes and verdicts in order, and what was broken. */
import type { Fault } from '../faults/schedule.js';
import type { RunResult } from './run.js';

interface Line {
  readonly atMs: number;
  readonly text: string;
}

export function describeFault({ kind, target, amount, way, forMs, on }: Fault): string {
  const parts = [kind, target, way, amount === undefined ? undefined : String(amount), forMs > 0 ? `for ${forMs} ms` : undefined];
  return `${parts.filter((part) => part !== undefined).join(' ')}${on === undefined ? '' : ` (after a ${on})`}`;
}

function lines({ strokes, witness, violations }: RunResult): Line[] {
  const seen: Line[] = [
    ...strokes.map(({ atMs, fault, what }) => ({ atMs, text: `fault ${what}: ${describeFault(fault)}` })),
    ...witness.panics.map(({ atMs, panic }) => ({
      atMs,
      text: `panic of ${panic.by}: ${panic.reason}${panic.resend > 0 ? ` (sent again, ${panic.resend})` : ''}`,
    })),
    ...witness.states.map(({ atMs, state }) => ({ atMs, text: `trading ${state.mode}, changed by ${state.changedBy}` })),
    ...witness.completions.map(({ atMs, completion }) => ({ atMs, text: `${completion.worker} says ${completion.verdict}` })),
    ...violations.map(({ atMs, promise, detail }) => ({ atMs, text: `BROKEN ${promise}: ${detail}` })),
  ];
  for (const event of witness.venueEvents()) {
    if (event.kind === 'fill' && event.source.startsWith('worker')) {
      seen.push({ atMs: event.atMs, text: `${event.source} closes ${event.symbol}: ${event.positionBefore} → ${event.positionAfter}` });
    }
  }
  return seen;
}

export function timelineOf(result: RunResult): string {
  const sorted = lines(result).toSorted((a, b) => a.atMs - b.atMs);
  return sorted.map(({ atMs, text }) => `${(atMs / 1_000).toFixed(3).padStart(9)} s  ${text}`).join('\n');
}
