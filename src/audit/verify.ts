/** Decides whether an audit record is whole: which entries are missing, changed, forked or out of order. */
import type { AuditEntry } from '../messages/audit.js';
import { auditHash } from './chain.js';

export interface AuditProblem {
  /**
   * - `changed`: the content does not give the hash that stands beside it;
   * - `missing`: the entry that this one follows is not in the record (removed, or changed together with its hash);
   * - `reordered`: it stands before the entry that it follows;
   * - `duplicated`: another entry follows the same one.
   */
  readonly kind: 'changed' | 'missing' | 'reordered' | 'duplicated';
  readonly actor: string;
  readonly sequence: number;
  readonly detail: string;
}

export interface AuditVerdict {
  readonly intact: boolean;
  readonly entries: number;
  /** Entries that stand in the record again, word for word: an append whose answer was lost is made once more. They say nothing new. */
  readonly repeated: number;
  /** Lives of actors: each begins at sequence 0. */
  readonly lives: number;
  readonly problems: readonly AuditProblem[];
}

interface Standing {
  readonly entry: AuditEntry;
  readonly index: number;
}

function positionsByHash(entries: readonly AuditEntry[]): Map<string, Standing> {
  const positions = new Map<string, Standing>();
  entries.forEach((entry, index) => {
    if (!positions.has(entry.hash)) positions.set(entry.hash, { entry, index });
  });
  return positions;
}

function linkProblem(
  entry: AuditEntry,
  index: number,
  byHash: Map<string, Standing>,
): Omit<AuditProblem, 'actor' | 'sequence'> | undefined {
  const before = byHash.get(entry.previousHash);
  if (entry.sequence === 0) {
    if (before === undefined) return undefined;
    return { kind: 'changed', detail: 'it says that it is the first, but follows another entry' };
  }
  if (before === undefined) return { kind: 'missing', detail: `entry ${entry.sequence - 1}, which it follows, is not in the record` };
  if (before.entry.actor !== entry.actor || before.entry.sequence !== entry.sequence - 1) {
    return { kind: 'changed', detail: `it follows entry ${before.entry.sequence} of ${before.entry.actor}` };
  }
  if (before.index > index) return { kind: 'reordered', detail: `it stands before entry ${before.entry.sequence}` };
  return undefined;
}

/**
 * Checks entries in the order in which they were read. Each life of an actor is a chain of its own. Entries cut off at the
 * end of a life leave no trace in the chain: compare with a copy kept elsewhere where that matters.
 */
export function verifyAudit(entries: readonly AuditEntry[]): AuditVerdict {
  const byHash = positionsByHash(entries);
  const followed = new Set<string>();
  const problems: AuditProblem[] = [];
  let lives = 0;
  let repeated = 0;
  entries.forEach((entry, index) => {
    const report = (kind: AuditProblem['kind'], detail: string): void => {
      problems.push({ kind, actor: entry.actor, sequence: entry.sequence, detail });
    };
    if (auditHash(entry) !== entry.hash) report('changed', 'its content does not give its hash');
    if (byHash.get(entry.hash)?.index !== index) {
      repeated += 1;
      return;
    }
    if (entry.sequence === 0) lives += 1;
    const problem = linkProblem(entry, index, byHash);
    if (problem !== undefined) report(problem.kind, problem.detail);
    if (followed.has(entry.previousHash)) report('duplicated', 'another entry follows the same one');
    followed.add(entry.previousHash);
  });
  return { intact: problems.length === 0, entries: entries.length, repeated, lives, problems };
}
