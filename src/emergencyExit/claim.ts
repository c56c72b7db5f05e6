/** The right to work on an incident: one owner at a time, a fencing token that rises with each change of hands, renewed by progress. */
import { type Bus, BusUnavailableError, type Latch, type LatchValue } from '../bus/bus.js';
import type { Clock, Timer } from '../clock.js';
import { COMPLETION_VERDICTS, type CompletionVerdict } from '../messages/completion.js';
import { type Decoded, decodeWith, encode, type Fields } from '../messages/fields.js';

export interface ClaimRecord {
  readonly incident: string;
  readonly owner: string;
  /** Rises with each change of hands. */
  readonly token: number;
  /** Rises with each renewal: an observer who sees it stand still for the claim's time may take over. */
  readonly counter: number;
  /** The panic whose verdict this is; absent while the incident is open. */
  readonly done?: { readonly eventId: string; readonly verdict: CompletionVerdict };
}

function encodeClaim(claim: ClaimRecord): Fields {
  return encode({
    incident: claim.incident,
    owner: claim.owner,
    token: claim.token,
    counter: claim.counter,
    done_event_id: claim.done?.eventId,
    done_verdict: claim.done?.verdict,
  });
}

export function decodeClaim(fields: Fields): Decoded<ClaimRecord> {
  return decodeWith(fields, (reader) => {
    const eventId = reader.optional('done_event_id');
    return {
      incident: reader.text('incident'),
      owner: reader.text('owner'),
      token: reader.count('token'),
      counter: reader.count('counter'),
      ...(eventId === undefined ? {} : { done: { eventId, verdict: reader.oneOf('done_verdict', COMPLETION_VERDICTS) } }),
    };
  });
}

export function claimLatch(bus: Bus, incident: string): Latch {
  return bus.latch(`incident:${incident}`);
}

/** What an observer knows of somebody else's claim: since when, on its own clock, nothing has moved. */
export interface ClaimSeen {
  readonly version: number;
  readonly sinceMs: number;
}

export type ClaimDecision = 'take' | 'wait' | 'done';

/** A claim's age counts from when this observer first saw it stand where it stands, so its owner has always given up before. */
export function decideClaim(
  record: ClaimRecord | undefined,
  seen: ClaimSeen | undefined,
  eventId: string,
  nowMs: number,
  claimMs: number,
): ClaimDecision {
  if (record === undefined) return 'take';
  if (record.done?.eventId === eventId && record.done.verdict !== 'flat_unconfirmed') return 'done';
  // A new panic for an incident that is over: the book is looked at again, under the next token.
  if (record.done !== undefined && record.done.verdict !== 'flat_unconfirmed') return 'take';
  return seen !== undefined && nowMs - seen.sinceMs >= claimMs ? 'take' : 'wait';
}

export type ClaimAttempt =
  | { readonly kind: 'taken'; readonly claim: IncidentClaim }
  | { readonly kind: 'busy'; readonly owner: string }
  | { readonly kind: 'done'; readonly record: ClaimRecord };

/** Looks at the claims of others with one observer's memory, and takes those that may be taken. */
export class ClaimDesk {
  readonly #seen = new Map<string, ClaimSeen>();
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #claimMs: number;

  constructor(bus: Bus, clock: Clock, owner: string, claimMs: number) {
    this.#bus = bus;
    this.#clock = clock;
    this.#owner = owner;
    this.#claimMs = claimMs;
  }

  /** One attempt. Throws {@link BusUnavailableError} without contact. */
  async tryTake(incident: string, eventId: string): Promise<ClaimAttempt> {
    const latch = claimLatch(this.#bus, incident);
    const value = await latch.get();
    const record = readClaim(value);
    const seen = this.#observe(incident, value.version);
    const decision = decideClaim(record, seen, eventId, this.#clock.monotonicMs(), this.#claimMs);
    if (decision === 'done' && record !== undefined) return { kind: 'done', record };
    if (decision === 'wait') return { kind: 'busy', owner: record?.owner ?? '' };
    const next: ClaimRecord = { incident, owner: this.#owner, token: (record?.token ?? 0) + 1, counter: 0 };
    const sentMs = this.#clock.monotonicMs();
    const set = await latch.compareAndSet(value.version, encodeClaim(next));
    if (set.outcome === 'committed') {
      return { kind: 'taken', claim: new IncidentClaim(latch, this.#clock, this.#claimMs, next, set.version, sentMs) };
    }
    return { kind: 'busy', owner: 'another worker' };
  }

  #observe(incident: string, version: number): ClaimSeen {
    const known = this.#seen.get(incident);
    if (known?.version === version) return known;
    const seen = { version, sinceMs: this.#clock.monotonicMs() };
    this.#seen.set(incident, seen);
    return seen;
  }
}

function readClaim(value: LatchValue): ClaimRecord | undefined {
  if (value.version === 0) return undefined;
  const decoded = decodeClaim(value.fields);
  if (!decoded.ok) throw new BusUnavailableError(`the claim cannot be understood: ${decoded.problem}`);
  return decoded.value;
}

/** A claim in the hands of its owner. */
export class IncidentClaim {
  readonly #latch: Latch;
  readonly #clock: Clock;
  readonly #claimMs: number;
  #record: ClaimRecord;
  #version: number;
  #validUntilMs: number;
  #moved = true;
  #lost = false;
  #timer: Timer | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(latch: Latch, clock: Clock, claimMs: number, record: ClaimRecord, version: number, sentMs: number) {
    this.#latch = latch;
    this.#clock = clock;
    this.#claimMs = claimMs;
    this.#record = record;
    this.#version = version;
    this.#validUntilMs = sentMs + claimMs;
    this.#schedule();
  }

  get token(): number {
    return this.#record.token;
  }

  /** True while no other worker can have taken over. Synchronous: asked right before each send. */
  isValid(): boolean {
    return !this.#lost && this.#clock.monotonicMs() < this.#validUntilMs;
  }

  /** Nothing that is done under this claim may take effect after this (monotonic clock). */
  get validUntilMs(): number {
    return this.#lost ? -Infinity : this.#validUntilMs;
  }

  progressed(): void {
    this.#moved = true;
  }

  /** Ends the incident under this claim. False: another worker has it. */
  async finish(eventId: string, verdict: CompletionVerdict): Promise<boolean> {
    return this.#inTurn(() => this.#set({ ...this.#record, counter: this.#record.counter + 1, done: { eventId, verdict } }));
  }

  release(): void {
    this.#timer?.cancel();
    this.#lost = true;
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#claimMs / 4, () => void this.#renew(), { keepAlive: false });
  }

  async #renew(): Promise<void> {
    if (this.#moved) {
      this.#moved = false;
      await this.#inTurn(() => this.#set({ ...this.#record, counter: this.#record.counter + 1 }));
    }
    if (!this.#lost) this.#schedule();
  }

  // Two changes at the same time would conflict with each other and look like a lost claim.
  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    let done: () => void = () => {};
    this.#turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      return await change();
    } finally {
      done();
    }
  }

  async #set(next: ClaimRecord): Promise<boolean> {
    if (this.#lost) return false;
    const sentMs = this.#clock.monotonicMs();
    try {
      const set = await this.#latch.compareAndSet(this.#version, encodeClaim(next));
      if (set.outcome === 'committed') return this.#adopt(next, set.version, sentMs);
      if (set.outcome === 'refused') return false;
      // Conflict or unknown: our own change may have landed after all.
      const value = await this.#latch.get();
      const record = readClaim(value);
      if (record?.owner === next.owner && record.token === next.token) {
        if (record.counter === next.counter) return this.#adopt(record, value.version, sentMs);
        this.#version = value.version;
        return false;
      }
      this.#lost = true;
      return false;
    } catch (error) {
      // Without contact nothing is renewed: the claim runs out by itself.
      if (error instanceof BusUnavailableError) return false;
      throw error;
    }
  }

  #adopt(record: ClaimRecord, version: number, sentMs: number): true {
    this.#record = record;
    this.#version = version;
    this.#validUntilMs = sentMs + this.#claimMs;
    return true;
  }
}
