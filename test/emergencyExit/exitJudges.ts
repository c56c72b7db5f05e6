/** Judges a played exit by the venue's own books and the bus's own record. */
import { expect } from 'vitest';
import { claimLatch, decodeClaim } from '../../src/emergencyExit/claim.js';
import { incidentId } from '../../src/messages/panicClose.js';
import type { ExitScene } from '../support/exitScene.js';
import type { Outcome } from './exitPlay.js';
import { isResolvable, type Scenario } from './exitScenario.js';

/** From when on the claim stood in the name of this worker. */
interface ClaimTurn {
  readonly worker: string;
  readonly token: number;
  readonly sinceMs: number;
}

export interface ClaimRecorder {
  readonly turns: readonly ClaimTurn[];
  stop(): void;
}

/** Writes down who owned the incident, as the bus has it: an observer of its own, which no worker can stop or mislead. */
export function recordClaims({ memory, clock }: ExitScene): ClaimRecorder {
  const latch = claimLatch(memory.handle(), incidentId('default', 1));
  const turns: ClaimTurn[] = [];
  const end = new AbortController();
  const follow = async () => {
    for (let version = 0; !end.signal.aborted; ) {
      const value = await latch.watch(version, { blockMs: 10_000, signal: end.signal });
      if (value.version === version) continue;
      version = value.version;
      const decoded = decodeClaim(value.fields);
      if (!decoded.ok) throw new Error(decoded.problem);
      const { owner, token } = decoded.value;
      const worker = owner.split('/')[0] ?? owner;
      const last = turns.at(-1);
      if (last?.worker !== worker || last.token !== token) turns.push({ worker, token, sinceMs: clock.monotonicMs() });
    }
  };
  follow().catch((error: unknown) => turns.push({ worker: String(error), token: Number.NaN, sinceMs: -Infinity }));
  return { turns, stop: () => end.abort() };
}

const isWorker = (source: string): boolean => /^w\d+$/.test(source);

/** Whoever sends owns the claim in that instant, by the bus's word. */
export function judgeOwners({ scene, claims }: Outcome): void {
  for (const event of scene.venue.events()) {
    if (event.kind !== 'request' || !isWorker(event.source)) continue;
    const sentMs = event.sentMs ?? event.atMs;
    const before = claims.turns.filter(({ sinceMs }) => sinceMs < sentMs).at(-1);
    const owners = [before, ...claims.turns.filter(({ sinceMs }) => sinceMs === sentMs)].map((turn) => turn?.worker);
    expect(owners, `S9: ${event.source} began to ${event.what} at ${sentMs} without the claim`).toContain(event.source);
  }
}

export function judgeFills({ scene }: Outcome): void {
  for (const event of scene.venue.events()) {
    if (event.kind !== 'fill' || !isWorker(event.source)) continue;
    const shrinks = Math.abs(event.positionAfter) < Math.abs(event.positionBefore);
    const keepsSign = event.positionAfter === 0 || Math.sign(event.positionAfter) === Math.sign(event.positionBefore);
    expect(shrinks && keepsSign, `S4: ${event.clientOrderId}: ${event.positionBefore} → ${event.positionAfter}`).toBe(true);
  }
}

export async function judgeVerdicts({ scene }: Outcome, scenario: Scenario): Promise<void> {
  const completions = await scene.completions();
  const final = completions.filter(({ verdict }) => verdict !== 'flat_unconfirmed');
  const positions = [...scene.venue.positions().values()];
  for (const { verdict } of final) {
    if (verdict === 'flat') expect(positions, 'S5: flat, but positions are open').toEqual([]);
    expect(scene.venue.openOrders(), `S5: ${verdict}, but orders are open`).toBe(0);
  }
  const tokens = completions.map(({ fencingToken }) => fencingToken);
  expect(tokens, 'S9: fencing tokens rise').toEqual([...tokens].sort((a, b) => a - b));
  const unacknowledged = await scene.unacknowledged();
  if (final.length > 0) {
    expect(unacknowledged, 'S6: completed, and still pending').toBe(0);
    return;
  }
  expect(unacknowledged, 'S6: neither completed nor held').toBeGreaterThan(0);
  const escalations = await scene.escalations();
  expect(escalations.length + completions.length, 'S6: neither completed nor escalated').toBeGreaterThan(0);
  expect(isResolvable(scenario), `S6: not completed: ${JSON.stringify({ escalations, positions, scenario })}`).toBe(false);
}
