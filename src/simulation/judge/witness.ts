/** What was seen of one run from outside: the venue's and the bus's own records with the true time, and never a role's own word. */
import type { VenueEvent } from '../../brokers/paper/index.js';
import type { Fields } from '../../bus/bus.js';
import { type ClaimRecord, decodeClaim } from '../../emergencyExit/claim.js';
import { AUDIT, type AuditEntry, decodeAuditEntry } from '../../messages/audit.js';
import { breakerLatch, decodeBreaker } from '../../messages/breaker.js';
import { type Completion, decodeCompletion, PANIC_COMPLETED } from '../../messages/completion.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../../messages/heartbeat.js';
import { decodeHolderReport, type HolderReport, LEASE_HOLDER } from '../../messages/holder.js';
import { decodePanicClose, PANIC_CLOSE, type PanicClose, panicGroup } from '../../messages/panicClose.js';
import { WATCHDOG_HEARTBEAT } from '../../messages/peerBeat.js';
import { decodeTradingState, TRADING_STATE, type TradingState } from '../../messages/tradingState.js';
import type { Seen } from '../bus/messages.js';
import { type Change, latchOf } from '../bus/serverData.js';
import { ACCOUNT, STRATEGY } from '../world/ground.js';
import type { World } from '../world/world.js';

/** The latch of the claim of the account. */
const CLAIM = `exit:${ACCOUNT}`;

export type At<T> = T & { readonly atMs: number };

export interface SeenCompletion {
  readonly completion: Completion;
  /** What the venue's books held when it was written. */
  readonly positions: number;
  readonly orders: number;
}

export interface SeenAck {
  /** Completions of this account that stood on the bus by then. */
  readonly completions: number;
}

/** While it lasted, nobody could know from the bus whether trading is allowed. */
export interface Doubt {
  readonly fromMs: number;
  /** Infinity: it lasts. */
  untilMs: number;
}

export class Witness {
  readonly states: At<{ state: TradingState }>[] = [];
  readonly panics: At<{ panic: PanicClose }>[] = [];
  readonly completions: At<SeenCompletion>[] = [];
  readonly acks: At<SeenAck>[] = [];
  readonly brainBeats: At<{ beat: BrainBeat }>[] = [];
  readonly watchdogBeatsMs: number[] = [];
  readonly audit: At<{ entry: AuditEntry }>[] = [];
  /** When trips of the breakers were stored on the bus. */
  readonly stored: number[] = [];
  /** Trips that stood there, by when they were first seen. */
  readonly trips = new Map<string, number>();
  readonly holders: At<{ report: HolderReport }>[] = [];
  readonly claims: At<{ claim: ClaimRecord }>[] = [];
  readonly doubts: Doubt[] = [];
  /** Claims that changed hands. */
  takenOver = 0;
  readonly #world: World;
  #latchesInDoubt = false;

  constructor(world: World) {
    this.#world = world;
    world.redis.server.observe((change) => this.#saw(change));
  }

  /** From whose books it is judged. */
  venueEvents(): readonly VenueEvent[] {
    return this.#world.venue.events();
  }

  #saw(change: Seen): void {
    const atMs = this.#world.kernel.nowMs;
    if (change.do === 'set') this.#sawLatch(atMs, change);
    else if (change.do === 'doubted') this.#sawDoubt(atMs, change.is);
    else if (change.do === 'restarted') this.#lookForDoubt(atMs);
    else if (change.do === 'append') this.#sawRecord(atMs, change);
    else if (change.do === 'ack' && change.stream === PANIC_CLOSE && change.group === panicGroup(ACCOUNT)) {
      this.acks.push({ atMs, completions: this.completions.length });
    } else if (change.do === 'claim' && change.attempt > 1) this.takenOver += 1;
  }

  #sawLatch(atMs: number, { key, fields }: Extract<Change, { do: 'set' }>): void {
    if (key === breakerLatch(STRATEGY)) this.#sawTrips(atMs, fields);
    if (key === CLAIM && fields !== undefined) {
      const decoded = decodeClaim(fields);
      if (decoded.ok) this.claims.push({ atMs, claim: decoded.value });
    }
    if (key !== TRADING_STATE) return;
    const decoded = fields === undefined ? undefined : decodeTradingState(fields);
    if (decoded?.ok === true) this.states.push({ atMs, state: decoded.value });
    this.#lookForDoubt(atMs);
  }

  #sawTrips(atMs: number, fields: Fields | undefined): void {
    this.stored.push(atMs);
    const decoded = fields === undefined ? undefined : decodeBreaker(fields);
    if (decoded?.ok !== true) return;
    for (const { id } of decoded.value.trips) if (!this.trips.has(id)) this.trips.set(id, atMs);
  }

  #sawDoubt(atMs: number, is: boolean): void {
    this.#latchesInDoubt = is;
    this.#lookForDoubt(atMs);
  }

  /** At each moment at which it may have begun or ended. A state that is not there is one that nobody can trust. */
  #lookForDoubt(atMs: number): void {
    const { version, fields } = latchOf(this.#world.redis.server.data, TRADING_STATE);
    const understood = version > 0 && fields !== undefined && decodeTradingState(fields).ok;
    const last = this.doubts.at(-1);
    const isOpen = last?.untilMs === Infinity;
    if (this.#latchesInDoubt || !understood) {
      if (!isOpen) this.doubts.push({ fromMs: atMs, untilMs: Infinity });
    } else if (isOpen) last.untilMs = atMs;
  }

  #sawRecord(atMs: number, { stream, record }: Extract<Change, { do: 'append' }>): void {
    const { fields } = record;
    if (fields === undefined) return;
    if (stream === WATCHDOG_HEARTBEAT) this.watchdogBeatsMs.push(atMs);
    else if (stream === EXIT_BRAIN_HEARTBEAT) {
      const decoded = decodeBrainBeat(fields);
      if (decoded.ok) this.brainBeats.push({ atMs, beat: decoded.value });
    } else if (stream === PANIC_CLOSE) {
      const decoded = decodePanicClose(fields);
      if (decoded.ok) this.panics.push({ atMs, panic: decoded.value });
    } else if (stream === PANIC_COMPLETED) {
      const decoded = decodeCompletion(fields);
      const { venue } = this.#world;
      if (decoded.ok)
        this.completions.push({
          atMs,
          completion: decoded.value,
          positions: venue.positions(ACCOUNT).size,
          orders: venue.openOrders(ACCOUNT),
        });
    } else if (stream === LEASE_HOLDER) {
      const decoded = decodeHolderReport(fields);
      if (decoded.ok) this.holders.push({ atMs, report: decoded.value });
    } else if (stream === AUDIT) {
      const decoded = decodeAuditEntry(fields);
      if (decoded.ok) this.audit.push({ atMs, entry: decoded.value });
    }
  }
}
