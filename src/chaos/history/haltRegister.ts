/** Judges a history of the halt register: linearizable, or at least never less halted than it must be, or broken. */
import { isLinearizable } from './linearizable.js';
import { type ReadOperation, type RearmOperation, type RegisterOperation, type RegisterValue, surelyBy } from './operation.js';

/** `safe-stale`: not linearizable, and no read said that trading may go on where it must not. `empty`: nothing was read, so nothing is proven. */
export type RegisterVerdict = 'linearizable' | 'safe-stale' | 'broken' | 'empty';

export interface RegisterJudgement {
  readonly verdict: RegisterVerdict;
  /** Each read that must not have been answered as it was, in words. */
  readonly violations: readonly string[];
}

interface SeenRead extends ReadOperation {
  readonly value: RegisterValue;
}

const isSeen = (operation: RegisterOperation): operation is SeenRead =>
  operation.kind === 'read' && operation.outcome === 'ok' && operation.value !== undefined;

/** Whether trading may have been allowed again by it between these moments. */
function mayHaveArmed({ outcome, invokedMs, ...rearm }: RearmOperation, sinceMs: number, untilMs: number): boolean {
  return outcome !== 'fail' && surelyBy({ outcome, ...rearm }) > sinceMs && invokedMs < untilMs;
}

/** Also one that fell back to a halt of its own has cleared what it named. */
function mayHaveCleared(
  { outcome, invokedMs, clears, endedMs }: RearmOperation,
  haltId: string,
  sinceMs: number,
  untilMs: number,
): boolean {
  return clears.includes(haltId) && surelyBy({ outcome, endedMs }) > sinceMs && invokedMs < untilMs;
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

/** A halt holds from its acknowledgement on, and from the end of the first read that showed it: until a re-arm that may have cleared it. */
function unsafeReads(history: readonly RegisterOperation[]): readonly string[] {
  const rearms = history.filter((operation) => operation.kind === 'rearm');
  const acknowledged = history.filter((operation) => operation.kind === 'halt').filter(({ outcome }) => outcome === 'ok');
  const reads = history.filter(isSeen).toSorted((a, b) => a.invokedMs - b.invokedMs);
  const stopped = reads.filter(({ value }) => !value.active).toSorted((a, b) => a.endedMs - b.endedMs);
  const violations: string[] = [];
  for (const read of reads) {
    const { client, invokedMs, endedMs, value } = read;
    const lost = acknowledged.find(
      (halt) =>
        halt.endedMs < invokedMs &&
        !value.halts.includes(halt.haltId) &&
        !rearms.some((rearm) => mayHaveCleared(rearm, halt.haltId, halt.invokedMs, endedMs)),
    );
    if (lost !== undefined)
      violations.push(
        `${client} read at ${ms(invokedMs)} that ${value.active ? 'trading is active' : 'other halts hold'}, without ${lost.haltId}, acknowledged at ${ms(lost.endedMs)}`,
      );
    if (!value.active || lost !== undefined) continue;
    // The latest one that had ended: whatever allowed trading again came behind it.
    const before = stopped.findLast((other) => other.endedMs < invokedMs);
    if (before !== undefined && !rearms.some((rearm) => mayHaveArmed(rearm, before.invokedMs, endedMs)))
      violations.push(
        `${client} read at ${ms(invokedMs)} that trading is active, which ${before.client} had read stopped at ${ms(before.endedMs)}`,
      );
  }
  return violations;
}

export function judgeHaltRegister(history: readonly RegisterOperation[], initial: RegisterValue): RegisterJudgement {
  if (!history.some(isSeen)) return { verdict: 'empty', violations: [] };
  const violations = unsafeReads(history);
  if (violations.length > 0) return { verdict: 'broken', violations };
  return { verdict: isLinearizable(history, initial) ? 'linearizable' : 'safe-stale', violations };
}
