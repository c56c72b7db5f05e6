/** Reads a stream from a cursor, at once or when something comes. */
import { type BusRecord, type CorruptRecord, type Cursor, type ReadOptions, type ReadResult } from '../bus.js';
import { boundedBlockMs, DEFAULT_READ_LIMIT, isHeartbeatStream } from '../policy.js';
import { ask, askScript, CALL_TIMEOUT_MS, keysOf, mustBeOpen, type RedisContext } from './context.js';
import type { Link } from './link.js';
import type { Readers } from './readers.js';
import { END, runScript } from './scripts.js';
import { decodeEntry, type Entry, entriesOf, listOf } from './wire.js';

const BEGINNING = '0-0';
/**
 * How far a reader goes back when it meets another data set than the one its cursor stands in. Ids are the time of the server
 * that gave them: behind a failover that lost writes, by a clock that lags, new records may bear ids below the cursor.
 */
const OVERLAP_MS = 60_000;

interface Place {
  readonly id: string;
  /** The data set that `id` belongs to. */
  readonly server: string;
}

export async function endOf(context: RedisContext, stream: string): Promise<Cursor> {
  const id = await askScript(context, END, [keysOf(context.prefix).stream(stream)], []);
  return { id: String(id), server: context.commands.facts?.replicationId ?? '' };
}

export async function readStream(
  context: RedisContext,
  readers: Readers,
  stream: string,
  cursor: Cursor,
  options: ReadOptions,
): Promise<ReadResult> {
  const { clock } = context;
  const limit = options.limit ?? DEFAULT_READ_LIMIT;
  const blockMs = Math.round(boundedBlockMs(options.blockMs));
  const key = keysOf(context.prefix).stream(stream);
  let place: Place = { id: BEGINNING, server: '' };
  let sentMs = clock.monotonicMs();
  const command = async (link: Link, block: readonly (string | number)[]) => {
    place = await placeOn(link, key, cursor, stream);
    sentMs = clock.monotonicMs();
    return ['XREAD', ['COUNT', limit, ...block, 'STREAMS', key, place.id]] as const;
  };
  const reply = await ask(context, async () => {
    if (blockMs > 0) return readers.waiting((link) => command(link, ['BLOCK', blockMs]), blockMs, options.signal);
    const [name, args] = await command(context.commands, []);
    return context.commands.call(name, args, CALL_TIMEOUT_MS);
  });
  mustBeOpen(context);
  const receivedMs = clock.monotonicMs();
  const [, entries] = listOf(listOf(reply)[0]);
  const found = collect(stream, entriesOf(entries), receivedMs);
  const id = found.lastId ?? place.id;
  const silent = found.lastId === undefined && reply !== undefined;
  return {
    records: found.records,
    corrupt: found.corrupt,
    cursor: { id, server: place.server },
    // An answer proves what held when the server wrote it: after the request, and after the wait if nothing came.
    contactMs: silent ? Math.min(receivedMs, sentMs + blockMs) : sentMs,
    more: found.count >= limit,
  };
}

/** Where to read on this connection: its server may be another than the cursor's. */
async function placeOn(link: Link, key: string, cursor: Cursor, stream: string): Promise<Place> {
  const { id = BEGINNING, server = '' } = cursor;
  const now = link.facts?.replicationId ?? '';
  if (server === '' || server === now || id === BEGINNING) return { id: String(id), server: now };
  const end = String(await runScript(link, END, [key], [], CALL_TIMEOUT_MS));
  const earlier = isBefore(end, String(id)) ? end : String(id);
  // Of heartbeats only the next ones matter.
  if (isHeartbeatStream(stream)) return { id: earlier, server: now };
  return { id: `${Math.max(0, Number(earlier.split('-')[0]) - OVERLAP_MS)}-0`, server: now };
}

function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aNumber = 0] = a.split('-').map(Number);
  const [bMs = 0, bNumber = 0] = b.split('-').map(Number);
  return aMs < bMs || (aMs === bMs && aNumber < bNumber);
}

export interface Collected {
  readonly records: readonly BusRecord[];
  readonly corrupt: readonly CorruptRecord[];
  readonly lastId: string | undefined;
  readonly count: number;
}

export function collect(stream: string, entries: readonly Entry[], receivedMs: number): Collected {
  const records: BusRecord[] = [];
  const corrupt: CorruptRecord[] = [];
  for (const entry of entries) {
    const read = decodeEntry(entry);
    if (read.kind === 'corrupt') corrupt.push({ id: read.id, problem: read.problem });
    else records.push({ id: read.id, stream, key: read.key, fields: read.fields, appendedWallMs: read.wallMs, receivedMs });
  }
  return { records, corrupt, lastId: entries.at(-1)?.[0], count: entries.length };
}
