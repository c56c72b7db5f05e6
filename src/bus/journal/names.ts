/** Names of journal files: who wrote them, and whether that writer can still be at work. */
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostIdentity, processHasEnded } from '../../host.js';
import type { Random } from '../../random.js';

const LONGEST_NAME = 120;

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A stream, group or latch key as a file name: distinct also where the file system ignores case. */
export function encodeName(name: string): string {
  const escaped = Array.from(Buffer.from(name), (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9_:-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  return escaped.length <= LONGEST_NAME ? escaped : `${escaped.slice(0, LONGEST_NAME - 66)}%%${hash(name)}`;
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: there is one namespace of process ids.
    return 'only';
  }
}

/** Where the processes that share a journal live, as one of them sees it. */
export interface JournalHost {
  /** Equal for processes that can see each other's process ids: same boot, same process namespace. */
  readonly space: string;
  readonly pid: number;
  /** Monotonic readings compare only between equal ones. */
  readonly bootId: string;
  /** True only where it is sure that no process of this space has this id any more. */
  hasEnded(pid: number): boolean;
}

let known: JournalHost | undefined;

/** This process on this host. */
export function systemHost(): JournalHost {
  if (known !== undefined) return known;
  const { bootId, pid } = hostIdentity();
  known = { space: hash(`${bootId}/${pidNamespace()}`).slice(0, 8), pid, bootId, hasEnded: processHasEnded };
  return known;
}

/** One life of one bus handle. */
export function newGeneration({ space, pid }: JournalHost, random: Random): string {
  return `${space}-${pid}-${random.id().replaceAll('-', '').slice(0, 12)}`;
}

/** True only where it is sure that the process which made this name has ended. */
export function writerHasEnded(host: JournalHost, generation: string): boolean {
  const [space, pid] = generation.split('-');
  if (space !== host.space || pid === undefined || !/^\d+$/.test(pid)) return false;
  return host.hasEnded(Number(pid));
}

export function segmentFile(generation: string, segment: number): string {
  return `${generation}.${segment}.log`;
}

export function keyedFile(idempotencyKey: string): string {
  return `key-${hash(idempotencyKey)}.log`;
}

export interface FileName {
  readonly name: string;
  /** Files of one writer are read in order of their segments; a record under an idempotency key has a file to itself. */
  readonly writer: string;
  readonly segment: number;
  readonly keyed: boolean;
}

export function parseFileName(name: string): FileName | undefined {
  if (/^key-[0-9a-f]{64}\.log$/.test(name)) return { name, writer: name, segment: 0, keyed: true };
  const match = /^([0-9a-z-]+)\.(\d+)\.log$/.exec(name);
  return match === null ? undefined : { name, writer: match[1] ?? '', segment: Number(match[2]), keyed: false };
}

/** The id of the record at `offset` of a file. */
export function recordId(file: string, offset: number): string {
  return `${file.slice(0, -'.log'.length)}@${offset}`;
}
