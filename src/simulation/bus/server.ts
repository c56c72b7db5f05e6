/** One simulated Redis server: what it answers, what it refuses, and who waits for its news. */
import type { Fields } from '../../bus/bus.js';
import { isHeartbeatStream } from '../../bus/policy.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Wait } from '../kernel/link.js';
import {
  apply,
  type Change,
  emptyData,
  firstAfter,
  groupOf,
  latchOf,
  nextAt,
  positionAt,
  recordAt,
  type ServerData,
  type StoredRecord,
  streamOf,
} from './serverData.js';

/** Records so much older are read again after a change of servers, as the real adapter does. */
const OVERLAP_MS = 60_000;

export type ServerRefusal = 'no_space' | 'read_only';

export interface Place {
  readonly after: number;
  /** Whose positions these are. */
  readonly server: string;
}

export interface ObservedMessage {
  readonly at: number;
  readonly consumer: string;
  readonly attempt: number;
  readonly renewals: number;
  readonly released: boolean;
}

export type Request =
  | {
      readonly ask: 'append';
      readonly stream: string;
      readonly key: string | undefined;
      readonly fields: Fields;
      readonly idempotencyKey: string | undefined;
      /** On the true clock. */
      readonly deadlineMs: number;
      /** Taken also when memory is short. */
      readonly sure: boolean;
    }
  | { readonly ask: 'set'; readonly key: string; readonly expected: number; readonly fields: Fields; readonly deadlineMs: number }
  | { readonly ask: 'get'; readonly key: string }
  | { readonly ask: 'watch'; readonly key: string; readonly known: number; readonly blockMs: number }
  | { readonly ask: 'read'; readonly stream: string; readonly place: Place; readonly limit: number; readonly blockMs: number }
  | { readonly ask: 'end'; readonly stream: string }
  | { readonly ask: 'latest'; readonly stream: string; readonly key: string }
  | { readonly ask: 'observe'; readonly stream: string; readonly group: string }
  | { readonly ask: 'news'; readonly stream: string; readonly after: number; readonly blockMs: number }
  | {
      readonly ask: 'take';
      readonly stream: string;
      readonly group: string;
      readonly consumer: string;
      readonly at: number | undefined;
      readonly attempt: number;
      readonly deadlineMs: number;
    }
  | {
      readonly ask: 'renew' | 'release';
      readonly stream: string;
      readonly group: string;
      readonly at: number;
      readonly consumer: string;
      readonly attempt: number;
    }
  | { readonly ask: 'ack'; readonly stream: string; readonly group: string; readonly at: number }
  | { readonly ask: 'probe' };

export type Reply =
  | { readonly kind: 'committed'; readonly at: number }
  | { readonly kind: 'duplicate' | 'deadline_passed' | 'conflict' | 'nothing' }
  | { readonly kind: 'refused'; readonly why: ServerRefusal }
  | { readonly kind: 'value'; readonly version: number; readonly fields: Fields | undefined }
  | { readonly kind: 'records'; readonly records: readonly StoredRecord[]; readonly place: Place; readonly more: boolean }
  | { readonly kind: 'observed'; readonly last: number; readonly undelivered: boolean; readonly claims: readonly ObservedMessage[] }
  | { readonly kind: 'taken'; readonly record: StoredRecord; readonly attempt: number }
  | { readonly kind: 'held'; readonly yes: boolean }
  | { readonly kind: 'alive'; readonly identity: string };

/** What whoever judges a run is told of: a change of the data, another life with other data, or latches that nobody can read. */
export type Seen = Change | { readonly do: 'restarted' } | { readonly do: 'doubted'; readonly is: boolean };
type WaitingRequest = Extract<Request, { ask: 'watch' | 'read' | 'news' }>;

function isWaiting(request: Request): request is WaitingRequest {
  return request.ask === 'read' || request.ask === 'watch' || request.ask === 'news';
}

/** What a request waits for, and where it comes. */
interface News {
  readonly place: string;
  readonly look: () => Reply;
  readonly isNews: (reply: Reply) => boolean;
}

interface Waiter {
  /** Answers if there is something to answer. */
  readonly look: () => boolean;
}

export class BusServer {
  readonly #kernel: Kernel;
  readonly #wallStartMs: number;
  #data: ServerData = emptyData();
  #waiters = new Map<string, Set<Waiter>>();
  readonly #observers: ((seen: Seen) => void)[] = [];
  #latchesInDoubt = false;
  /** Told of each change, in order: how copies are kept. */
  onChange: (change: Change) => void = () => {};
  identity: string;
  outOfMemory = false;
  readOnly = false;

  constructor(kernel: Kernel, identity: string, wallStartMs: number) {
    this.#kernel = kernel;
    this.identity = identity;
    this.#wallStartMs = wallStartMs;
  }

  get data(): ServerData {
    return this.#data;
  }

  /** Whoever judges a run: told of each change after it was made. */
  observe(observer: (seen: Seen) => void): void {
    this.#observers.push(observer);
  }

  /** True: nobody understands what stands in the latches. */
  set latchesInDoubt(is: boolean) {
    this.#latchesInDoubt = is;
    this.#tell({ do: 'doubted', is });
  }

  #tell(seen: Seen): void {
    for (const observer of this.#observers) observer(seen);
  }

  /** Starts again with this data, as another life of the server: those who wait, wait in vain. */
  restart(data: ServerData, identity: string): void {
    this.#data = data;
    this.identity = identity;
    this.#waiters = new Map();
    this.#tell({ do: 'restarted' });
  }

  /** Answers once, now or when there is news. */
  handle(request: Request, answer: (reply: Reply) => void): void {
    if (!isWaiting(request)) return answer(this.#handleAtOnce(request));
    const { blockMs } = request;
    const isParked = blockMs > 0 && this.park(request, { arrivesMs: this.#kernel.nowMs, backMs: 0, answer, over: answer });
    if (!isParked) answer(this.#news(request).look());
  }

  /** Lets a request wait from its arrival on. False: there is something to answer, or it waits for nothing. */
  park(request: Request, { arrivesMs, backMs, answer, over }: Wait<Reply>): boolean {
    if (!isWaiting(request)) return false;
    const { place, look, isNews } = this.#news(request);
    if (isNews(look())) return false;
    let home = this.#waiters.get(place);
    if (home === undefined) {
      home = new Set();
      this.#waiters.set(place, home);
    }
    const waiting = home;
    const waiter: Waiter = {
      look: () => {
        const reply = look();
        if (!isNews(reply)) return false;
        end.cancelled = true;
        if (this.#kernel.nowMs >= arrivesMs) answer(reply);
        else this.#kernel.at(arrivesMs, 'bus news', () => answer(reply));
        return true;
      },
    };
    waiting.add(waiter);
    const end = this.#kernel.at(arrivesMs + request.blockMs + backMs, 'bus wait over', () => {
      // A server that was started again meanwhile knows nothing of this.
      if (waiting.delete(waiter) && this.#waiters.get(place) === waiting) over(look());
    });
    return true;
  }

  /** Everything that happened to the data came from here. */
  commit(change: Change): void {
    apply(this.#data, change);
    this.onChange(change);
    this.#tell(change);
    const place =
      change.do === 'set' ? `latch ${change.key}` : change.do === 'append' || change.do === 'release' ? change.stream : undefined;
    const waiting = place === undefined ? undefined : this.#waiters.get(place);
    if (waiting !== undefined) for (const waiter of [...waiting]) if (waiter.look()) waiting.delete(waiter);
  }

  #wallMs(): number {
    return Math.floor(this.#wallStartMs + this.#kernel.nowMs);
  }

  #news(request: WaitingRequest): News {
    switch (request.ask) {
      case 'watch':
        return {
          place: `latch ${request.key}`,
          look: () => this.#latchValue(request.key),
          isNews: (reply) => reply.kind === 'value' && (reply.version !== request.known || reply.fields === undefined),
        };
      case 'read':
        return {
          place: request.stream,
          look: () => this.#read(request),
          isNews: (reply) => reply.kind === 'records' && reply.records.length > 0,
        };
      case 'news':
        return {
          place: request.stream,
          look: () => this.#endOf(request.stream),
          isNews: (reply) => reply.kind === 'committed' && reply.at > request.after,
        };
    }
  }

  #handleAtOnce(request: Exclude<Request, WaitingRequest>): Reply {
    switch (request.ask) {
      case 'append':
        return this.#append(request);
      case 'set':
        return this.#set(request);
      case 'get':
        return this.#latchValue(request.key);
      case 'end':
        return this.#endOf(request.stream);
      case 'latest': {
        const record = streamOf(this.#data, request.stream).latest.get(request.key);
        return record === undefined ? { kind: 'nothing' } : { kind: 'taken', record, attempt: 0 };
      }
      case 'observe':
        return this.#observe(request.stream, request.group);
      case 'take':
        return this.#take(request);
      case 'probe':
        return this.readOnly ? { kind: 'refused', why: 'read_only' } : { kind: 'alive', identity: this.identity };
      default:
        return this.#settle(request);
    }
  }

  #append(request: Extract<Request, { ask: 'append' }>): Reply {
    const stream = streamOf(this.#data, request.stream);
    if (this.#kernel.nowMs > request.deadlineMs) return { kind: 'deadline_passed' };
    if (request.idempotencyKey !== undefined && stream.keys.has(request.idempotencyKey)) return { kind: 'duplicate' };
    if (this.readOnly) return { kind: 'refused', why: 'read_only' };
    if (this.outOfMemory && !request.sure) return { kind: 'refused', why: 'no_space' };
    const { key, fields, idempotencyKey } = request;
    const record: StoredRecord = { at: nextAt(stream, this.#wallMs()), key, fields };
    this.commit({ do: 'append', stream: request.stream, record, idempotencyKey });
    return { kind: 'committed', at: record.at };
  }

  #set({ key, expected, fields, deadlineMs }: Extract<Request, { ask: 'set' }>): Reply {
    const latch = latchOf(this.#data, key);
    if (this.#kernel.nowMs > deadlineMs) return { kind: 'deadline_passed' };
    if (this.readOnly) return { kind: 'refused', why: 'read_only' };
    if (latch.fields === undefined) return { kind: 'value', version: latch.version, fields: undefined };
    if (latch.version !== expected) return { kind: 'conflict' };
    this.commit({ do: 'set', key, version: expected + 1, fields });
    return { kind: 'committed', at: expected + 1 };
  }

  #latchValue(key: string): Extract<Reply, { kind: 'value' }> {
    const { version, fields } = latchOf(this.#data, key);
    return { kind: 'value', version, fields: this.#latchesInDoubt ? undefined : fields };
  }

  #read({ stream: name, place, limit }: Extract<Request, { ask: 'read' }>): Extract<Reply, { kind: 'records' }> {
    const stream = streamOf(this.#data, name);
    const after = this.#placeHere(name, stream.last, place);
    const first = firstAfter(stream, after);
    const records = first === stream.records.length ? [] : stream.records.slice(first, first + limit);
    const last = records.at(-1)?.at ?? after;
    return { kind: 'records', records, place: { after: last, server: this.identity }, more: records.length >= limit };
  }

  #placeHere(name: string, last: number, { after, server }: Place): number {
    if (server === this.identity || server === '' || after === 0) return after;
    const earlier = Math.min(last, after);
    return isHeartbeatStream(name) ? earlier : Math.max(0, earlier - positionAt(OVERLAP_MS));
  }

  #endOf(name: string): Extract<Reply, { kind: 'committed' }> {
    return { kind: 'committed', at: streamOf(this.#data, name).last };
  }

  #observe(name: string, groupName: string): Reply {
    const stream = streamOf(this.#data, name);
    const group = groupOf(stream, groupName);
    const claims = [...group.claims].map(([at, claim]) => ({ at, ...claim }));
    return { kind: 'observed', last: stream.last, undelivered: stream.last > group.delivered, claims };
  }

  #take({ stream: name, group: groupName, consumer, at, attempt, deadlineMs }: Extract<Request, { ask: 'take' }>): Reply {
    if (this.#kernel.nowMs > deadlineMs || this.readOnly) return { kind: 'nothing' };
    const stream = streamOf(this.#data, name);
    const group = groupOf(stream, groupName);
    const record = at === undefined ? stream.records[firstAfter(stream, group.delivered)] : recordAt(stream, at);
    if (record === undefined) return { kind: 'nothing' };
    // Others came first.
    if (at !== undefined && group.claims.get(at)?.attempt !== attempt) return { kind: 'nothing' };
    this.commit({ do: 'claim', stream: name, group: groupName, at: record.at, consumer, attempt: attempt + 1 });
    return { kind: 'taken', record, attempt: attempt + 1 };
  }

  #settle(request: Extract<Request, { ask: 'renew' | 'release' | 'ack' }>): Reply {
    const claim = groupOf(streamOf(this.#data, request.stream), request.group).claims.get(request.at);
    const mine =
      claim !== undefined &&
      (request.ask === 'ack' || (!claim.released && claim.consumer === request.consumer && claim.attempt === request.attempt));
    if (this.readOnly) return { kind: 'refused', why: 'read_only' };
    if (mine) this.commit({ do: request.ask, stream: request.stream, group: request.group, at: request.at });
    return { kind: 'held', yes: mine };
  }
}
