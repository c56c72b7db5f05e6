/** Interesting states: a campaign that never met one has proved little about it. */
import type { RunView } from './view.js';

type Sign = (view: RunView) => boolean;

const SIGNS: Readonly<Record<string, Sign>> = {
  panic: ({ witness }) => witness.panics.length > 0,
  'panic sent again': ({ witness }) => witness.panics.some(({ panic }) => panic.resend > 0),
  'panic in trouble': ({ witness, strokes }) =>
    witness.panics.some(({ atMs }) => strokes.some((stroke) => Math.abs(stroke.atMs - atMs) < 2_000)),
  flat: ({ witness }) => witness.completions.some(({ completion }) => completion.verdict === 'flat'),
  'flat unconfirmed': ({ witness }) => witness.completions.some(({ completion }) => completion.verdict === 'flat_unconfirmed'),
  'exit taken over': ({ witness }) => witness.completions.some(({ completion }) => completion.fencingToken > 1),
  'claim taken over': ({ witness }) => witness.takenOver > 0,
  'doubt halted': ({ witness }) => witness.states.some(({ state }) => state.halts.some(({ kind }) => kind === 'doubt')),
  'breaker tripped': ({ world }) => world.trips.length > 0,
  'breaker refused after a restart': ({ world, witness }) =>
    witness.stored.length > 0 && new Set(world.trips.map(({ holder }) => holder)).size > 1,
  'strategy ended in order': ({ world }) => world.ends.some(({ ended }) => ended !== undefined),
  'state in doubt': ({ witness }) => witness.doubts.length > 0,
  'lease suspended': ({ witness }) => witness.audit.some(({ entry }) => entry.event === 'lease.suspended'),
  'watchdog doubted itself': ({ witness }) => witness.audit.some(({ entry }) => entry.event === 'watchdog.doubt_began'),
  'halt added again': ({ witness }) => witness.audit.some(({ entry }) => entry.event === 'state.reasserted'),
  'close rejected': ({ witness }) => witness.venueEvents().some((event) => event.kind === 'rejected' && event.source.startsWith('worker')),
  'close without an answer': ({ witness }) => witness.venueEvents().some((event) => event.kind === 'answer_dropped'),
  'resting order cancelled': ({ witness }) => witness.venueEvents().some((event) => event.kind === 'canceled'),
};

export const REACHABLE: readonly string[] = Object.keys(SIGNS);

export function reachedIn(view: RunView): readonly string[] {
  return REACHABLE.filter((name) => SIGNS[name]?.(view) === true);
}
