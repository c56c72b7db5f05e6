/** The gates that one shutdown shuts and drains: the process-wide one and those that programs have named, as if they were one. */
import type { ShutdownGate } from '../shutdownGate/gate.js';
import type { DrainReport, ExitPermit, UnfinishedEntry } from '../shutdownGate/protocol.js';

type Gates = readonly ShutdownGate[];

/** Of a gate that cannot be drained nobody knows what is left. */
const NOT_DRAINED: DrainReport = { drained: false, waitedMs: 0, unfinished: [], inflightElsewhere: 0 };

/** Never rejects. `failed` is told of a gate that cannot be drained: it keeps none of the others from being drained. */
export async function drainAll(gates: Gates, timeoutMs: number, failed: (error: unknown) => void): Promise<DrainReport> {
  const drain = async (gate: ShutdownGate): Promise<DrainReport> => {
    try {
      return await gate.waitForInflightZero({ timeoutMs });
    } catch (error) {
      failed(error);
      return NOT_DRAINED;
    }
  };
  const reports = await Promise.all(gates.map(drain));
  return {
    drained: reports.every(({ drained }) => drained),
    waitedMs: Math.max(...reports.map(({ waitedMs }) => waitedMs)),
    unfinished: reports.flatMap(({ unfinished }) => unfinished),
    inflightElsewhere: reports.reduce((sum, { inflightElsewhere }) => sum + inflightElsewhere, 0),
  };
}

export function unfinishedOf(gates: Gates): readonly UnfinishedEntry[] {
  return gates.flatMap((gate) => gate.protocol.unfinished());
}

export function inflightOf(gates: Gates): number {
  return gates.reduce((sum, gate) => sum + gate.inflight(), 0);
}

/** All or none: where a gate refuses the promise, those before it go back to `beforeMs`. */
export function promiseDrain(gates: Gates, drainTimeoutMs: number | undefined, beforeMs: number | undefined): void {
  const promised: ShutdownGate[] = [];
  try {
    for (const gate of gates) {
      gate.protocol.promiseDrain(drainTimeoutMs);
      promised.push(gate);
    }
  } catch (error) {
    for (const gate of promised) gate.protocol.promiseDrain(beforeMs);
    throw error;
  }
}

export interface ExitGrant {
  readonly permit: ExitPermit;
  revoke(): void;
}

const HONOURED_BY_NOBODY: ExitPermit = Object.freeze({ 'failflat.exitPermit': true });

/**
 * One permit that every gate honours until it is revoked. A gate that cannot take it, as one of another copy of failflat may not, opens
 * nothing and keeps none of the others from it; `failed` is told. Never throws: at worst nobody honours the permit.
 */
export function grantExit(gates: Gates, failed: (error: unknown) => void): ExitGrant {
  const attempt = <T>(act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  const taken: ShutdownGate[] = [];
  let permit: ExitPermit | undefined;
  for (const gate of gates)
    attempt(() => {
      if (permit === undefined) permit = gate.protocol.issueExitPermit();
      else gate.protocol.adoptExitPermit(permit);
      taken.push(gate);
    });
  return {
    permit: permit ?? HONOURED_BY_NOBODY,
    revoke: () => {
      for (const gate of taken) attempt(() => gate.protocol.revokeExitPermit(permit ?? HONOURED_BY_NOBODY));
    },
  };
}
