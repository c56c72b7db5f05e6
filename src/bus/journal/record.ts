/** How a record stands in a journal file: a newline, length, checksum and one line of JSON. */
import { crc32 } from 'node:zlib';
import type { Fields } from '../bus.js';
import { MAX_RECORD_BYTES } from '../policy.js';

/** What surrounds the fields of a record. */
export interface Envelope {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** Monotonic readings compare only between records of the same boot. */
  readonly boot: string;
  /** Rises with each append of one writer to one stream. */
  readonly sequence: number;
  readonly key: string | undefined;
  readonly fields: Fields;
  /** For a record in a file of its own: how far its writer's other file reached before it. */
  readonly after?: WriterPosition | undefined;
}

export interface WriterPosition {
  readonly file: string;
  readonly offset: number;
}

export type ParsedItem =
  | { readonly kind: 'record'; readonly start: number; readonly end: number; readonly envelope: Envelope }
  | { readonly kind: 'corrupt'; readonly start: number; readonly end: number; readonly problem: string };

export interface Parsed {
  readonly items: readonly ParsedItem[];
  /** How many of the bytes need not be read again. */
  readonly consumed: number;
  /** The writer has said that nothing follows. */
  readonly sealed: boolean;
  /** What stands behind `consumed`: nothing, a record that is still being written, or one whole but wrong. */
  readonly tail: 'none' | 'incomplete' | 'damaged';
}

const NEWLINE = 10;
const SPACE = 32;
const LENGTH_DIGITS = 6;
const CHECKSUM_DIGITS = 8;
const LONGEST_HEADER = LENGTH_DIGITS + 1 + CHECKSUM_DIGITS + 1;
const SEAL = '{"sealed":true}';

function frame(body: string): Buffer {
  const bytes = Buffer.byteLength(body);
  return Buffer.from(`\n${bytes} ${crc32(body).toString(16).padStart(8, '0')} ${body}`);
}

/** The bytes of one record, or undefined where it is too large. */
export function encodeRecord(envelope: Envelope): Buffer | undefined {
  const bytes = frame(
    JSON.stringify({
      at: envelope.wallMs,
      mono: envelope.monotonicMs,
      boot: envelope.boot,
      n: envelope.sequence,
      key: envelope.key,
      fields: envelope.fields,
      after: envelope.after,
    }),
  );
  return bytes.length < MAX_RECORD_BYTES ? bytes : undefined;
}

/** The last line of a file whose writer has moved on. */
export function encodeSeal(): Buffer {
  return frame(SEAL);
}

type Line = { readonly state: 'whole'; readonly body: string } | { readonly state: 'short' | 'wrong'; readonly problem: string };

// A watchdog takes in thousands of records a second: they are checked where they lie, without a copy.
function checkLine(bytes: Buffer, first: number, end: number): Line {
  const lengthEnds = endOfDigits(bytes, first, end);
  const checksumAt = lengthEnds + 1;
  const bodyAt = checksumAt + CHECKSUM_DIGITS + 1;
  const checksum = lengthEnds > first && bodyAt <= end ? hexAt(bytes, checksumAt) : undefined;
  if (checksum === undefined || bytes[lengthEnds] !== SPACE || bytes[bodyAt - 1] !== SPACE) {
    return { state: end - first < LONGEST_HEADER ? 'short' : 'wrong', problem: 'no record begins here' };
  }
  const announced = Number(bytes.toString('latin1', first, lengthEnds));
  const there = end - bodyAt;
  if (there !== announced) {
    return { state: there < announced ? 'short' : 'wrong', problem: `${announced} bytes were announced, ${there} are there` };
  }
  if (crc32(bytes.subarray(bodyAt, end)) !== checksum) return { state: 'wrong', problem: 'bad checksum' };
  return { state: 'whole', body: bytes.toString('utf8', bodyAt, end) };
}

function endOfDigits(bytes: Buffer, first: number, end: number): number {
  const latest = Math.min(end, first + LENGTH_DIGITS);
  let at = first;
  while (at < latest && digitOf(bytes[at] ?? 0) < 10) at += 1;
  return at;
}

function hexAt(bytes: Buffer, first: number): number | undefined {
  let value = 0;
  for (let at = first; at < first + CHECKSUM_DIGITS; at += 1) {
    const digit = digitOf(bytes[at] ?? 0);
    if (digit > 15) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

/** The value of a lower-case hexadecimal digit; anything else is above 15. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x61 + 10 : 16;
}

function isFields(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries: Partial<Record<string, unknown>> = value;
  for (const name in entries) if (typeof entries[name] !== 'string') return false;
  return true;
}

function isPosition(value: unknown): value is WriterPosition {
  if (typeof value !== 'object' || value === null) return false;
  const { file, offset } = value as Partial<Record<string, unknown>>;
  return typeof file === 'string' && typeof offset === 'number';
}

function decodeEnvelope(body: string): Envelope | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    // Reported by the caller as a record that cannot be understood.
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { at, mono, boot, n, key, fields, after } = parsed as Partial<Record<string, unknown>>;
  if (typeof at !== 'number' || typeof mono !== 'number' || typeof boot !== 'string' || typeof n !== 'number') return undefined;
  if (!isFields(fields) || (key !== undefined && typeof key !== 'string')) return undefined;
  return { wallMs: at, monotonicMs: mono, boot, sequence: n, key, fields, after: isPosition(after) ? after : undefined };
}

/** Reads as many records as `bytes` holds. Where they stand is said from the beginning of the file: `bytes` begin at `base` of it. */
export function parseRecords(bytes: Buffer, base = 0): Parsed {
  const items: ParsedItem[] = [];
  let position = 0;
  let sealed = false;
  while (position < bytes.length) {
    const start = position;
    const first = bytes[start] === NEWLINE ? start + 1 : start;
    const newline = bytes.indexOf(NEWLINE, first);
    const end = newline === -1 ? bytes.length : newline;
    const line = checkLine(bytes, first, end);
    if (line.state !== 'whole') {
      const cannotBeARecord = end - first > MAX_RECORD_BYTES;
      if (newline === -1 && !cannotBeARecord)
        return { items, consumed: start, sealed, tail: line.state === 'short' ? 'incomplete' : 'damaged' };
      if (end > first) items.push({ kind: 'corrupt', start: base + start, end: base + end, problem: line.problem });
    } else if (line.body === SEAL) {
      sealed = true;
    } else {
      const envelope = decodeEnvelope(line.body);
      if (envelope === undefined)
        items.push({ kind: 'corrupt', start: base + start, end: base + end, problem: 'not a record of this format' });
      else items.push({ kind: 'record', start: base + start, end: base + end, envelope });
    }
    position = end;
  }
  return { items, consumed: position, sealed, tail: 'none' };
}

/** Where the last line of `bytes` begins, with the newline before it; undefined: no line begins in them. */
export function lastLineStart(bytes: Buffer): number | undefined {
  const at = bytes.lastIndexOf(NEWLINE);
  return at === -1 ? undefined : at;
}
