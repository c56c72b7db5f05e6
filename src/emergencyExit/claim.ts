/** The right to work on an incident: one owner at a time for an account, a fencing token that rises with each change of hands, renewed by progress. */
import { type Bus, BusUnavailableError, type Latch, type LatchValue } from '../bus/bus.js';
import { type Clock, clocksDiverged, type SentReadings, type Timer, WALL_DIVERGENCE_MS } from '../clock.js';
import { COMPLETION_VERDICTS, type CompletionVerdict } from '../messages/completion.js';
import { type Decoded, decodeWith, encode, type Fields } from '../messages/fields.js';
import { accountOf } from '../messages/panicClose.js';

export interface ClaimRecord {
  readonly incident: string;
  readonly owner: string;
  /** Rises with each change of hands. */
  readonly token: number;
  /** Rises with each renewal: an observer who sees it stand still for the claim's time may take over. */
  readonly counter: number;
  /** The first token after the last exit of this account that ended with nothing under way: closes from then on may still fill. */
  readonly openSince: number;
  /** The panic whose verdict this is; absent while the incident is open. */
  readonly done?: { readonly eventId: string; readonly verdict: CompletionVerdict };
}

/** The owner of a claim that was handed back. */
const NOBODY = '-';
/** One change of ours that landed late may stand in the way; more than a few mean trouble with the bus. */
const FINISH_TRIES = 5;

function encodeClaim(claim: ClaimRecord): Fields {
  return encode({
    incident: claim.incident,
    owner: claim.owner,
    token: claim.token,
    counter: claim.counter,
    open_since: claim.openSince,
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
      openSince: reader.count('open_since'),
      ...(eventId === undefined ? {} : { done: { eventId, verdict: reader.oneOf('done_verdict', COMPLETION_VERDICTS) } }),
    };
  });
}

/** One for all incidents of an account: two that are open at once would close the same book twice. */
export function claimLatch(bus: Bus, incident: string): Latch {
  return bus.latch(`exit:${accountOf(incident)}`);
}

/** What an observer knows of somebody else's claim: since when, on its own clock, nothing has moved. */
export interface ClaimSeen {
  readonly version: number;
  readonly sinceMs: number;
}

export type ClaimDecision = 'take' | 'wait' | 'done';

/** Over for good: nothing of it is under way any more. */
function isOver({ done }: ClaimRecord): boolean {
  return done !== undefined && done.verdict !== 'flat_unconfirmed';
}

/** Who wants a claim, and what for. */
export interface ClaimWish {
  readonly incident: string;
  readonly eventId: string;
  readonly owner: string;
  readonly claimMs: number;
}

/**
 * A claim's age counts from when this observer first saw it stand where it stands, so its owner has always given up before.
 * What bears the observer's own name for the same incident is an earlier claim of its own, which it has let go.
 */
export function decideClaim(
  record: ClaimRecord | undefined,
  seen: ClaimSeen | undefined,
  { incident, eventId, owner, claimMs }: ClaimWish,
  nowMs: number,
): ClaimDecision {
  if (record === undefined) return 'take';
  // Another panic than that of the verdict: the book is looked at again, under the next token.
  if (isOver(record)) return record.incident === incident && record.done?.eventId === eventId ? 'done' : 'take';
  if (record.owner === NOBODY || (record.owner === owner && record.incident === incident)) return 'take';
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

  /**
   * Looks at a claim without wanting it. A standby that has watched from the beginning takes over as soon as the claim has
   * stood still for its time, and does not begin to count only when the panic reaches it. Throws {@link BusUnavailableError}.
   */
  async watch(incident: string): Promise<void> {
    const value = await claimLatch(this.#bus, incident).get();
    if (value.version > 0) this.#observe(incident, value.version);
  }

  /** One attempt. Throws {@link BusUnavailableError} without contact. */
  async tryTake(incident: string, eventId: string): Promise<ClaimAttempt> {
    const latch = claimLatch(this.#bus, incident);
    const value = await latch.get();
    const record = readClaim(value);
    const seen = this.#observe(incident, value.version);
    const wish = { incident, eventId, owner: this.#owner, claimMs: this.#claimMs };
    const decision = decideClaim(record, seen, wish, this.#clock.monotonicMs());
    if (decision === 'done' && record !== undefined) return { kind: 'done', record };
    if (decision === 'wait') return { kind: 'busy', owner: record?.owner ?? '' };
    const token = (record?.token ?? 0) + 1;
    const openSince = record === undefined || isOver(record) ? token : record.openSince;
    const next: ClaimRecord = { incident, owner: this.#owner, token, counter: 0, openSince };
    const sent = sending(this.#clock);
    const set = await latch.compareAndSet(value.version, encodeClaim(next));
    // What one master alone holds may be forgotten behind it: nobody acts on that, and it is tried again.
    if (set.outcome === 'committed' && set.unreplicated === undefined) {
      return { kind: 'taken', claim: new IncidentClaim(latch, this.#clock, this.#claimMs, next, set.version, sent) };
    }
    return { kind: 'busy', owner: 'another worker' };
  }

  #observe(incident: string, version: number): ClaimSeen {
    const account = accountOf(incident);
    const known = this.#seen.get(account);
    if (known?.version === version) return known;
    const seen = { version, sinceMs: this.#clock.monotonicMs() };
    this.#seen.set(account, seen);
    return seen;
  }
}

function sending(clock: Clock): SentReadings {
  return { sentMs: clock.monotonicMs(), wallMs: clock.wallMs() };
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
  /** When the write that holds now was sent. */
  #sent: SentReadings;
  #counter = 0;
  #moved = true;
  #lost = false;
  #handingBack = false;
  #timer: Timer | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(latch: Latch, clock: Clock, claimMs: number, record: ClaimRecord, version: number, sent: SentReadings) {
    this.#latch = latch;
    this.#clock = clock;
    this.#claimMs = claimMs;
    this.#record = record;
    this.#version = version;
    this.#sent = sent;
    this.#schedule();
  }

  get token(): number {
    return this.#record.token;
  }

  /** The first token whose closes may still fill: that of a predecessor, or this one. */
  get openSince(): number {
    return this.#record.openSince;
  }

  /**
   * True while no other worker can have taken over. Synchronous: asked right before each send. In a suspended host the
   * monotonic clock stands still while others count: only a renewal shows then that the claim is still ours.
   */
  isValid(): boolean {
    if (this.#lost || this.#handingBack) return false;
    const nowMs = this.#clock.monotonicMs();
    return nowMs < this.validUntilMs && !clocksDiverged(this.#sent, { nowMs, wallMs: this.#clock.wallMs() }, WALL_DIVERGENCE_MS);
  }

  /** Nothing that is done under this claim may take effect after this (monotonic clock). */
  get validUntilMs(): number {
    return this.#lost ? -Infinity : this.#sent.sentMs + this.#claimMs;
  }

  progressed(): void {
    this.#moved = true;
  }

  /** Ends the incident under this claim. False: it is not sure that the latch says so, or another worker has it. */
  async finish(eventId: string, verdict: CompletionVerdict): Promise<boolean> {
    for (let tries = 0; tries < FINISH_TRIES && this.isValid(); tries++) {
      if (await this.#inTurn({ done: { eventId, verdict } })) return true;
    }
    return false;
  }

  /** Lets a successor begin at once instead of waiting for the claim to run out. */
  async handBack(): Promise<void> {
    const isOurs = this.isValid();
    // A successor may begin before the bus has answered us.
    this.#handingBack = true;
    if (isOurs) await this.#inTurn({ owner: NOBODY });
    this.release();
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
      // Work that was shown stays shown until a renewal has carried it.
      if (!(await this.#inTurn({}))) this.#moved = true;
    }
    if (!this.#lost) this.#schedule();
  }

  // Two changes at the same time would conflict with each other and look like a lost claim.
  #inTurn(change: Partial<ClaimRecord>): Promise<boolean> {
    const result = this.#turn.then(() => this.#set(change));
    this.#turn = result;
    return result;
  }

  /** Never throws: without contact nothing is renewed, and the claim runs out by itself. */
  async #set(change: Partial<ClaimRecord>): Promise<boolean> {
    if (this.#lost) return false;
    // A counter is never used twice, so that what stands in the latch is known to come from this attempt or from an earlier one.
    const next: ClaimRecord = { ...this.#record, ...change, counter: ++this.#counter };
    const sent = sending(this.#clock);
    try {
      const set = await this.#latch.compareAndSet(this.#version, encodeClaim(next));
      if (set.outcome === 'committed' && set.unreplicated === undefined) return this.#adopt(next, set.version, sent);
      if (set.outcome === 'committed') {
        // Another master may know nothing of it: it lengthens nothing, and ends nothing.
        this.#record = next;
        this.#version = set.version;
        return false;
      }
      if (set.outcome === 'refused') return false;
      const value = await this.#latch.get();
      const record = readClaim(value);
      if (record?.owner !== this.#record.owner || record.token !== this.#record.token) {
        if (record?.counter === next.counter && record.token === next.token) return true;
        this.#lost = true;
        return false;
      }
      if (record.counter === next.counter) return this.#adopt(record, value.version, sent);
      // An earlier change of ours landed late: others count from then, so it lengthens nothing.
      this.#record = record;
      this.#version = value.version;
      return false;
    } catch {
      return false;
    }
  }

  #adopt(record: ClaimRecord, version: number, sent: SentReadings): true {
    this.#record = record;
    this.#version = version;
    this.#sent = sent;
    return true;
  }
}
