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
  /** Bytes that need not be read again. */
  readonly consumed: number;
  /** The writer has said that nothing follows. */
  readonly sealed: boolean;
  /** What stands behind `consumed`: nothing, a record that is still being written, or one whole but wrong. */
  readonly tail: 'none' | 'incomplete' | 'damaged';
}

const NEWLINE = 10;
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

function checkLine(line: Buffer): Line {
  const header = /^(\d{1,6}) ([0-9a-f]{8}) /.exec(line.toString('latin1', 0, 17));
  if (header === null) return { state: line.length < 16 ? 'short' : 'wrong', problem: 'no record begins here' };
  const body = line.subarray(header[0].length);
  const length = Number(header[1]);
  if (body.length < length) return { state: 'short', problem: `${length} bytes were announced, ${body.length} are there` };
  if (body.length > length) return { state: 'wrong', problem: `${length} bytes were announced, ${body.length} are there` };
  if (crc32(body) !== Number.parseInt(header[2] ?? '', 16)) return { state: 'wrong', problem: 'bad checksum' };
  return { state: 'whole', body: body.toString('utf8') };
}

function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((entry) => typeof entry === 'string')
  );
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

/** Reads as many records as `bytes` holds. Offsets are relative to its beginning. */
export function parseRecords(bytes: Buffer): Parsed {
  const items: ParsedItem[] = [];
  let position = 0;
  let sealed = false;
  while (position < bytes.length) {
    const start = position;
    const first = bytes[start] === NEWLINE ? start + 1 : start;
    const newline = bytes.indexOf(NEWLINE, first);
    const end = newline === -1 ? bytes.length : newline;
    const line = checkLine(bytes.subarray(first, end));
    if (line.state !== 'whole') {
      const cannotBeARecord = end - first > MAX_RECORD_BYTES;
      if (newline === -1 && !cannotBeARecord)
        return { items, consumed: start, sealed, tail: line.state === 'short' ? 'incomplete' : 'damaged' };
      if (end > first) items.push({ kind: 'corrupt', start, end, problem: line.problem });
    } else if (line.body === SEAL) {
      sealed = true;
    } else {
      const envelope = decodeEnvelope(line.body);
      if (envelope === undefined) items.push({ kind: 'corrupt', start, end, problem: 'not a record of this format' });
      else items.push({ kind: 'record', start, end, envelope });
    }
    position = end;
  }
  return { items, consumed: position, sealed, tail: 'none' };
}
