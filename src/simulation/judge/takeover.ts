/** L6: a worker that dies with an exit in its hands is followed by another, judged by the claim on the bus and the venue's books. */
import { BROKER_TIMEOUT_MS } from '../world/ground.js';
import { numbered } from '../world/setup.js';
import { timingsOf } from '../world/timings.js';
import { isCalm, strikes } from './spells.js';
import type { RunView } from './view.js';
import type { Violation } from './violation.js';
import type { Witness } from './witness.js';

/** Pauses between looks at the claim and at deliveries that stand still. */
const LOOKS_MS = 1_000;
/** Readings and the closes that are left, at a healthy venue. */
const CLOSES_MS = 3_000;
const CALM_BEFORE_MS = 3_000;

function heldBy(witness: Witness, worker: string, atMs: number): boolean {
  const last = witness.claims.findLast((seen) => seen.atMs <= atMs);
  return last !== undefined && last.claim.done === undefined && last.claim.owner.startsWith(`${worker}/`);
}

/** Positions at that moment, from the fills until then. */
function openAt(witness: Witness, untilMs: number): readonly string[] {
  const positions = new Map<string, number>();
  for (const event of witness.venueEvents()) {
    if (event.atMs > untilMs) break;
    if (event.kind === 'fill' || event.kind === 'seeded') positions.set(event.symbol, event.positionAfter);
  }
  return [...positions].filter(([, quantity]) => quantity !== 0).map(([symbol, quantity]) => `${quantity} ${symbol}`);
}

export function exitLeftBehind({ world, witness, strokes, schedule }: RunView): Violation[] {
  const { setup } = world;
  const workers = numbered('worker', setup.workers);
  for (const { fault, what, atMs } of strokes) {
    if (fault.kind !== 'crash' || what !== 'begins' || !workers.includes(fault.target ?? '')) continue;
    const other = workers.find((name) => name !== fault.target);
    if (other === undefined || !heldBy(witness, fault.target ?? '', atMs)) continue;
    const { exit, peerBeatMs } = timingsOf(setup);
    const takenByMs = atMs + exit.claimMs + peerBeatMs + LOOKS_MS + exit.claimMs / 4;
    const closedByMs = takenByMs + BROKER_TIMEOUT_MS + CLOSES_MS;
    if (closedByMs > schedule.endMs || !isCalm(strokes, atMs - CALM_BEFORE_MS, closedByMs, strikes(other))) continue;
    if (heldBy(witness, fault.target ?? '', takenByMs) && !witness.claims.some((seen) => seen.atMs > atMs && seen.atMs <= takenByMs))
      return [{ promise: 'L6', atMs: takenByMs, detail: `nobody took over from ${fault.target}, which died with the exit in its hands` }];
    const open = setup.reduceOnly === 'enforced' ? openAt(witness, closedByMs) : [];
    if (open.length > 0)
      return [{ promise: 'L6', atMs: closedByMs, detail: `the exit that ${fault.target} left is not done: ${open.join(', ')}` }];
  }
  return [];
}
