/** S12: whether everything that was seen to happen on bus and venue stands in the audit record, and the record is whole. */
import { verifyAudit } from '../../audit/verify.js';
import { STRATEGY } from '../world/ground.js';
import { FORGETS } from './safety.js';
import type { RunView } from './view.js';
import type { Violation } from './violation.js';

/** Everything that the entries name, to look identifiers up in. */
function namesIn({ witness }: RunView): string {
  return JSON.stringify(witness.audit.map(({ entry }) => [entry.event, entry.actor, entry.incident, entry.details]));
}

function wasKilled({ strokes }: RunView, name: string, afterMs: number): boolean {
  return strokes.some(({ fault, what, atMs }) => what === 'begins' && fault.kind === 'crash' && fault.target === name && atMs >= afterMs);
}

/** No entry of a life is missing, changed or told twice with other words. */
export function recordIsWhole({ witness }: RunView, endMs: number): Violation[] {
  const [problem] = verifyAudit(witness.audit.map(({ entry }) => entry)).problems;
  if (problem === undefined) return [];
  return [{ promise: 'S12', atMs: endMs, detail: `entry ${problem.sequence} of ${problem.actor} is ${problem.kind}: ${problem.detail}` }];
}

/** Each halt, panic, trip, verdict and close that was seen is named in some entry. */
export function recordIsComplete(view: RunView, endMs: number): Violation[] {
  const { witness } = view;
  const recorded = namesIn(view);
  const missing = (what: string): Violation[] => [{ promise: 'S12', atMs: endMs, detail: `${what} stands in no audit entry` }];
  const halt = witness.states.flatMap(({ state }) => state.halts).find(({ id }) => !recorded.includes(id));
  if (halt !== undefined) return missing(`the halt ${halt.id}`);
  for (const [trip] of witness.trips) if (!recorded.includes(trip)) return missing(`the trip ${trip}`);
  // What a person wrote may be gone with its bus before anybody has read it.
  const mayBeLost = view.strokes.some(({ fault }) => FORGETS.includes(fault.kind));
  const panic = witness.panics.find(
    ({ panic: { eventId, issuedBy } }) => !(mayBeLost && issuedBy === 'ops') && !recorded.includes(eventId),
  );
  if (panic !== undefined) return missing(`the panic ${panic.panic.eventId}`);
  for (const event of witness.venueEvents()) {
    if (event.kind !== 'request' || event.what !== 'submit' || !event.source.startsWith('worker')) continue;
    // Its bus has lost the attempt that was written before it was sent, and its sender died: nobody is left who knows of it.
    if (mayBeLost && wasKilled(view, event.source, event.atMs)) continue;
    if (!recorded.includes(event.clientOrderId ?? '')) return missing(`the close ${event.clientOrderId}`);
  }
  const said = witness.completions.find(({ completion: { verdict } }) => !recorded.includes(`"exit.${verdict}"`));
  return said === undefined ? [] : missing(`the verdict ${said.completion.verdict}`);
}

/** A lapse that a holder told the bus of is told to the record as well, unless its process was killed before it could. */
export function lapsesAreRecorded(view: RunView, endMs: number): Violation[] {
  const { witness, world } = view;
  const lapsed = witness.holders.find(({ report: { event, holderId }, atMs }) => {
    if (event !== 'suspended' || world.ends.some(({ holder }) => holder === holderId)) return false;
    return (
      !wasKilled(view, STRATEGY, atMs) &&
      !witness.audit.some(({ entry }) => entry.event === 'lease.suspended' && entry.actor === `lease:${holderId}`)
    );
  });
  if (lapsed === undefined) return [];
  return [{ promise: 'S12', atMs: endMs, detail: `the lapse of ${lapsed.report.holderId} stands in no audit entry` }];
}

export const RECORD_ORACLES = [recordIsWhole, recordIsComplete, lapsesAreRecorded];
