/** What was seen of one run from outside: the venue's and the bus's own records with the true time, and never a role's own word. */
import type { VenueEvent } from '../../brokers/paper/index.js';
import { AUDIT, type AuditEntry, decodeAuditEntry } from '../../messages/audit.js';
import { breakerLatch } from '../../messages/breaker.js';
import { type Completion, decodeCompletion, PANIC_COMPLETED } from '../../messages/completion.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../../messages/heartbeat.js';
import { decodePanicClose, PANIC_CLOSE, type PanicClose, panicGroup } from '../../messages/panicClose.js';
import { WATCHDOG_HEARTBEAT } from '../../messages/peerBeat.js';
import { decodeTradingState, TRADING_STATE, type TradingState } from '../../messages/tradingState.js';
import type { Change } from '../bus/serverData.js';
import { ACCOUNT, STRATEGY } from '../world/ground.js';
import type { World } from '../world/world.js';

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
  /** Claims that changed hands. */
  takenOver = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    world.redis.server.observe((change) => this.#saw(change));
  }

  /** From whose books it is judged. */
  venueEvents(): readonly VenueEvent[] {
    return this.#world.venue.events();
  }

  #saw(change: Change): void {
    const atMs = this.#world.kernel.nowMs;
    if (change.do === 'set') {
      if (change.key === breakerLatch(STRATEGY)) this.stored.push(atMs);
      if (change.key !== TRADING_STATE || change.fields === undefined) return;
      const decoded = decodeTradingState(change.fields);
      if (decoded.ok) this.states.push({ atMs, state: decoded.value });
    } else if (change.do === 'append') this.#sawRecord(atMs, change);
    else if (change.do === 'ack' && change.stream === PANIC_CLOSE && change.group === panicGroup(ACCOUNT)) {
      this.acks.push({ atMs, completions: this.completions.length });
    } else if (change.do === 'claim' && change.attempt > 1) this.takenOver += 1;
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
    } else if (stream === AUDIT) {
      const decoded = decodeAuditEntry(fields);
      if (decoded.ok) this.audit.push({ atMs, entry: decoded.value });
    }
  }
}
