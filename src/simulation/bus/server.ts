/** One simulated Redis server: what it answers, what it refuses, and who waits for its news. */
import { isHeartbeatStream } from '../../bus/policy.js';
import type { SimulatedEvent } from '../kernel/eventQueue.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Caller } from '../kernel/link.js';
import type { Place, Reply, Request, Seen } from './messages.js';
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

type WaitingRequest = Extract<Request, { ask: 'watch' | 'read' | 'news' }>;

function placeOf(request: WaitingRequest): string {
  return request.ask === 'watch' ? `latch ${request.key}` : request.stream;
}

function isWaiting(request: Request): request is WaitingRequest {
  return request.ask === 'read' || request.ask === 'watch' || request.ask === 'news';
}

/** One who waits, and the event that ends its wait. */
class Waiting implements SimulatedEvent {
  readonly what = 'bus wait over';
  dueMs = 0;
  order = 0;
  cancelled = false;

  constructor(
    private readonly ended: (waiting: Waiting) => void,
    readonly home: Set<Waiting>,
    readonly request: WaitingRequest,
    readonly caller: Caller<Reply>,
    readonly arrivesMs: number,
  ) {}

  act(): void {
    this.ended(this);
  }
}

const NO_RECORDS: readonly StoredRecord[] = [];

export class BusServer {
  readonly #kernel: Kernel;
  readonly #wallStartMs: number;
  #data: ServerData = emptyData();
  #waiters = new Map<string, Set<Waiting>>();
  #stopped = false;
  #held: (() => void)[] = [];
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
  get latchesInDoubt(): boolean {
    return this.#latchesInDoubt;
  }

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
    this.drop();
    this.#tell({ do: 'restarted' });
  }

  /** As SIGSTOP: takes what comes, and answers when it goes on. */
  stop(): void {
    this.#stopped = true;
  }

  /** As SIGKILL: what it has not answered by now it never does. */
  drop(): void {
    this.#held = [];
  }

  goOn(): void {
    this.#stopped = false;
    for (const act of this.#held.splice(0)) act();
  }

  /** Answers once, now or when there is news. */
  handle(request: Request, caller: Caller<Reply>): void {
    if (this.#stopped) this.#held.push(() => this.handle(request, caller));
    else if (!isWaiting(request)) caller.answer(this.#handleAtOnce(request));
    else if (request.blockMs <= 0 || !this.park(request, caller, this.#kernel.nowMs, 0))
      caller.answer(this.#newsFor(request) ?? this.#vain(request));
  }

  /** Lets a request wait from its arrival on. False: there is something to answer, or it waits for nothing. */
  park(request: Request, caller: Caller<Reply>, arrivesMs: number, backMs: number): boolean {
    if (this.#stopped || !isWaiting(request) || this.#newsFor(request) !== undefined) return false;
    const place = placeOf(request);
    let home = this.#waiters.get(place);
    if (home === undefined) {
      home = new Set();
      this.#waiters.set(place, home);
    }
    const waiting = new Waiting(this.#waitedInVain, home, request, caller, arrivesMs);
    home.add(waiting);
    this.#kernel.put(waiting, arrivesMs + request.blockMs + backMs);
    return true;
  }

  readonly #waitedInVain = (waiting: Waiting): void => {
    const { home, request, caller } = waiting;
    // A server that was started again meanwhile knows nothing of this.
    if (home.delete(waiting) && this.#waiters.get(placeOf(request)) === home) this.#whenGoing(() => caller.over(this.#vain(request)));
  };

  /** True: there was news, and whoever waited for it is told. */
  #look(waiting: Waiting): boolean {
    const { request, caller, arrivesMs } = waiting;
    const news = this.#newsFor(request);
    if (news === undefined) return false;
    waiting.cancelled = true;
    if (this.#kernel.nowMs >= arrivesMs) this.#whenGoing(() => caller.answer(news));
    else this.#kernel.at(arrivesMs, 'bus news', () => this.#whenGoing(() => caller.answer(news)));
    return true;
  }

  #whenGoing(act: () => void): void {
    if (this.#stopped) this.#held.push(act);
    else act();
  }

  /** Everything that happened to the data came from here. */
  commit(change: Change): void {
    apply(this.#data, change);
    this.onChange(change);
    this.#tell(change);
    const place =
      change.do === 'set' ? `latch ${change.key}` : change.do === 'append' || change.do === 'release' ? change.stream : undefined;
    const waiting = place === undefined ? undefined : this.#waiters.get(place);
    if (waiting !== undefined) for (const waiter of [...waiting]) if (this.#look(waiter)) waiting.delete(waiter);
  }

  #wallMs(): number {
    return Math.floor(this.#wallStartMs + this.#kernel.nowMs);
  }

  #newsFor(request: WaitingRequest): Reply | undefined {
    switch (request.ask) {
      case 'watch': {
        const { version, fields } = latchOf(this.#data, request.key);
        return version === request.known && fields !== undefined && !this.latchesInDoubt ? undefined : this.#latchValue(request.key);
      }
      case 'read':
        return this.#read(request);
      case 'news':
        return streamOf(this.#data, request.stream).last > request.after ? this.#endOf(request.stream) : undefined;
    }
  }

  /** What is answered where there is no news. */
  #vain(request: WaitingRequest): Reply {
    switch (request.ask) {
      case 'watch':
        return this.#latchValue(request.key);
      case 'read': {
        const after = this.#placeHere(request.stream, streamOf(this.#data, request.stream).last, request.place);
        return { kind: 'records', records: NO_RECORDS, place: { after, server: this.identity }, more: false };
      }
      case 'news':
        return this.#endOf(request.stream);
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

  /** Undefined: there are no records behind that place. */
  #read({ stream: name, place, limit }: Extract<Request, { ask: 'read' }>): Reply | undefined {
    const stream = streamOf(this.#data, name);
    const first = firstAfter(stream, this.#placeHere(name, stream.last, place));
    if (first === stream.records.length) return undefined;
    const records = stream.records.slice(first, first + limit);
    const after = records.at(-1)?.at ?? place.after;
    return { kind: 'records', records, place: { after, server: this.identity }, more: records.length >= limit };
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
