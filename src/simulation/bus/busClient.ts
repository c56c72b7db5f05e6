/** The bus port on a simulated Redis: what the real adapter promises, asks and waits for, over a connection that may fail. */
import {
  type AppendOptions,
  type AppendOutcome,
  type Bus,
  BusDoubtError,
  type BusRecord,
  BusUnavailableError,
  type CompareAndSetOutcome,
  type ConsumerGroup,
  type Cursor,
  type Fields,
  type Latch,
  type LatchValue,
  type ProbeResult,
  type ReadOptions,
  type ReadResult,
} from '../../bus/bus.js';
import { boundedBlockMs, DEFAULT_APPEND_TIMEOUT_MS, DEFAULT_READ_LIMIT, isReplicatedSurely, MAX_RECORD_BYTES } from '../../bus/policy.js';
import type { Clock } from '../../clock.js';
import { type BusConnection, CALL_TIMEOUT_MS } from './connection.js';
import { SimulatedGroup } from './group.js';
import type { Place, Reply } from './messages.js';
import { recordOf } from './recordOf.js';
import { idOf } from './serverData.js';

const CLOSED = { outcome: 'refused', reason: 'closed', detail: 'the bus is closed' } as const;

/** Bytes that a record takes, near enough: what counts is that too much is refused. */
function isTooLarge(fields: Fields, key: string | undefined): boolean {
  let characters = key?.length ?? 0;
  for (const name in fields) characters += name.length + (fields[name]?.length ?? 0);
  return (
    characters > (MAX_RECORD_BYTES - 512) / 4 && Buffer.byteLength(JSON.stringify(fields)) + (key?.length ?? 0) > MAX_RECORD_BYTES - 512
  );
}

function refused(reply: Reply): AppendOutcome | undefined {
  if (reply.kind === 'refused') return { outcome: 'refused', reason: reply.why, detail: `the server refused: ${reply.why}` };
  if (reply.kind === 'duplicate') return { outcome: 'refused', reason: 'duplicate', detail: 'it was appended before' };
  if (reply.kind === 'deadline_passed') return { outcome: 'refused', reason: 'deadline_passed', detail: 'the server had it too late' };
  return undefined;
}

export class SimulatedBus implements Bus {
  readonly url: string;
  readonly #connection: BusConnection;
  readonly #clock: Clock;
  readonly #firstSeen = new Map<string, BusRecord>();
  readonly #groups = new Map<string, SimulatedGroup>();

  constructor(url: string, connection: BusConnection, clock: Clock) {
    this.url = url;
    this.#connection = connection;
    this.#clock = clock;
  }

  async append(stream: string, fields: Fields, options: AppendOptions = {}): Promise<AppendOutcome> {
    if (this.#connection.closed) return CLOSED;
    const nowMs = this.#clock.monotonicMs();
    const { key, idempotencyKey, notAfterMs = Infinity, timeoutMs = DEFAULT_APPEND_TIMEOUT_MS } = options;
    if (nowMs > notAfterMs) return { outcome: 'refused', reason: 'deadline_passed', detail: 'notAfterMs has passed' };
    if (isTooLarge(fields, key))
      return { outcome: 'refused', reason: 'too_large', detail: `a record must be smaller than ${MAX_RECORD_BYTES} bytes` };
    const sure = isReplicatedSurely(stream);
    // Once the caller has been told `unknown`, nothing that is still on its way may land as if it were fresh.
    const deadlineMs = this.#connection.trueTime(Math.min(notAfterMs, nowMs + timeoutMs));
    const kept = Object.freeze({ ...fields });
    const end = await this.#connection.write({ ask: 'append', stream, key, fields: kept, idempotencyKey, deadlineMs, sure }, timeoutMs);
    if (!end.answered)
      return end.sent ? { outcome: 'unknown', detail: end.detail } : { outcome: 'refused', reason: 'unavailable', detail: end.detail };
    const refusal = refused(end.reply);
    if (refusal !== undefined) return refusal;
    if (end.reply.kind !== 'committed') return { outcome: 'unknown', detail: `the server answered ${end.reply.kind}` };
    const id = idOf(end.reply.at);
    const alone = sure ? await this.#connection.unreplicated(timeoutMs) : undefined;
    return alone === undefined ? { outcome: 'committed', id } : { outcome: 'committed_unreplicated', id, detail: alone };
  }

  async read(stream: string, cursor: Cursor, options: ReadOptions = {}): Promise<ReadResult> {
    const blockMs = Math.round(boundedBlockMs(options.blockMs));
    const limit = options.limit ?? DEFAULT_READ_LIMIT;
    const place: Place = { after: Number(cursor['after'] ?? 0), server: String(cursor['server'] ?? '') };
    const sentMs = this.#clock.monotonicMs();
    const waited = await this.#connection.wait({ ask: 'read', stream, place, limit, blockMs }, blockMs, options.signal);
    const receivedMs = this.#clock.monotonicMs();
    if (waited === undefined) return { records: [], corrupt: [], cursor, contactMs: sentMs, more: false };
    if (waited.kind !== 'records') throw new BusUnavailableError(`the server answered ${waited.kind}`);
    const records: BusRecord[] = [];
    const corrupt: { id: string; problem: string }[] = [];
    for (const stored of waited.records) {
      const record = recordOf(stream, stored, receivedMs);
      if (record === undefined) corrupt.push({ id: idOf(stored.at), problem: 'bad checksum' });
      else records.push(record);
    }
    const silent = waited.records.length === 0;
    return {
      records,
      corrupt,
      cursor: silent && waited.place.after === place.after && waited.place.server === place.server ? cursor : { ...waited.place },
      // An answer proves what held when the server wrote it: after the request, and after the wait if nothing came.
      contactMs: silent ? Math.min(receivedMs, sentMs + blockMs) : sentMs,
      more: waited.more,
    };
  }

  async end(stream: string): Promise<Cursor> {
    const reply = await this.#connection.ask({ ask: 'end', stream });
    if (reply.kind !== 'committed') throw new BusUnavailableError(`the server answered ${reply.kind}`);
    return { after: reply.at, server: this.#connection.identity };
  }

  async latest(stream: string, key: string): Promise<BusRecord | undefined> {
    const reply = await this.#connection.ask({ ask: 'latest', stream, key });
    const record = reply.kind === 'taken' ? recordOf(stream, reply.record, this.#clock.monotonicMs()) : undefined;
    if (record === undefined) return undefined;
    const slot = `${stream}\n${key}`;
    const seen = this.#firstSeen.get(slot);
    if (seen?.id === record.id) return seen;
    this.#firstSeen.set(slot, record);
    return record;
  }

  group(stream: string, name: string): ConsumerGroup {
    const slot = `${stream}\n${name}`;
    let group = this.#groups.get(slot);
    if (group === undefined) {
      group = new SimulatedGroup(this.#connection, this.#clock, stream, name);
      this.#groups.set(slot, group);
    }
    return group;
  }

  latch(key: string): Latch {
    return {
      get: async () => {
        const sentMs = this.#clock.monotonicMs();
        return latchValue(key, await this.#connection.ask({ ask: 'get', key }), sentMs);
      },
      compareAndSet: (expected, fields) => this.#compareAndSet(key, expected, fields),
      watch: (known, options) => this.#watch(key, known, options),
    };
  }

  async probe(): Promise<ProbeResult> {
    if (this.#connection.closed) return { ok: false, detail: 'the bus is closed' };
    const sentMs = this.#clock.monotonicMs();
    const end = await this.#connection.write({ ask: 'probe' }, CALL_TIMEOUT_MS);
    if (!end.answered) return { ok: false, detail: end.detail };
    if (end.reply.kind !== 'alive') return { ok: false, detail: 'the server is not a master now' };
    const alone = await this.#connection.unreplicated(CALL_TIMEOUT_MS);
    if (alone !== undefined) return { ok: false, detail: alone };
    return { ok: true, sentMs, roundTripMs: this.#clock.monotonicMs() - sentMs, identity: end.reply.identity };
  }

  async close(): Promise<void> {
    if (this.#connection.closed) return;
    this.#connection.stopWaiting();
    for (const group of this.#groups.values()) await group.handBack();
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #compareAndSet(key: string, expected: number, fields: Fields): Promise<CompareAndSetOutcome> {
    if (this.#connection.closed) return CLOSED;
    if (isTooLarge(fields, undefined))
      return { outcome: 'refused', reason: 'too_large', detail: `a value must be smaller than ${MAX_RECORD_BYTES} bytes` };
    const timeoutMs = DEFAULT_APPEND_TIMEOUT_MS;
    const deadlineMs = this.#connection.trueTime(this.#clock.monotonicMs() + timeoutMs);
    const end = await this.#connection.write({ ask: 'set', key, expected, fields: Object.freeze({ ...fields }), deadlineMs }, timeoutMs);
    if (!end.answered)
      return end.sent ? { outcome: 'unknown', detail: end.detail } : { outcome: 'refused', reason: 'unavailable', detail: end.detail };
    const { reply } = end;
    if (reply.kind === 'conflict') return { outcome: 'conflict' };
    if (reply.kind === 'value')
      return { outcome: 'refused', reason: 'unavailable', detail: `version ${reply.version} of the latch cannot be understood` };
    if (reply.kind === 'refused') return { outcome: 'refused', reason: reply.why, detail: `the server refused: ${reply.why}` };
    if (reply.kind === 'deadline_passed') return { outcome: 'refused', reason: 'deadline_passed', detail: 'the server had it too late' };
    if (reply.kind !== 'committed') return { outcome: 'unknown', detail: `the server answered ${reply.kind}` };
    const alone = await this.#connection.unreplicated(timeoutMs);
    return { outcome: 'committed', version: reply.at, ...(alone === undefined ? {} : { unreplicated: alone }) };
  }

  async #watch(key: string, known: number, options: Pick<ReadOptions, 'blockMs' | 'signal'>): Promise<LatchValue> {
    const blockMs = Math.round(boundedBlockMs(options.blockMs));
    const sentMs = this.#clock.monotonicMs();
    const reply = await this.#connection.wait({ ask: 'watch', key, known, blockMs }, blockMs, options.signal);
    if (reply !== undefined) return latchValue(key, reply, sentMs);
    return latchValue(key, await this.#connection.ask({ ask: 'get', key }), this.#clock.monotonicMs());
  }
}

function latchValue(key: string, reply: Reply, sentMs: number): LatchValue {
  if (reply.kind !== 'value') throw new BusUnavailableError(`the server answered ${reply.kind}`);
  if (reply.fields === undefined) throw new BusDoubtError(`latch ${key}: version ${reply.version} cannot be understood`);
  return { version: reply.version, fields: reply.fields, sentMs };
}
