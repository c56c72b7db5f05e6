/** Receives panics, keeps one incident for each failure, and lets a re-arm end those that it supersedes. */
import { BusDoubtError, BusUnavailableError, type ConsumerGroup, type Delivery } from '../bus/bus.js';
import { messageOf } from '../errors.js';
import { decodeWrittenPanic, PANIC_CLOSE, type PanicClose, panicGroup, type WrittenPanic, withEpoch } from '../messages/panicClose.js';
import { NEVER_ARMED, type TradingState } from '../messages/tradingState.js';
import { readTradingState } from '../tradingState/read.js';
import { Incident } from './incident.js';
import { blockMsOf } from './options.js';
import type { WorkerContext } from './workerContext.js';

/** People are told once of each panic, however often it is sent; beyond this many the oldest are forgotten. */
const TOLD_MAX = 1_000;

export class PanicDesk {
  readonly #context: WorkerContext;
  readonly #incidents = new Map<string, Incident>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #told = new Set<string>();
  #lastKnown = NEVER_ARMED;
  #reachedMs = -Infinity;
  #failing = false;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  async run(): Promise<void> {
    const { bus, account, clock, timings, signal } = this.#context;
    const group = bus.group(PANIC_CLOSE, panicGroup(account));
    while (!signal.aborted) {
      try {
        await this.#takeUp(group);
        this.#reached();
      } catch (error) {
        this.#failed(error);
        await clock.sleep(timings.pollMs, signal);
      }
    }
    for (const incident of this.#incidents.values()) incident.stop();
    await Promise.all(this.#tasks);
  }

  /** Whether a panic that comes now would be taken up: where it would not, nobody may trade on this worker. */
  isDeaf(): boolean {
    const { clock, timings } = this.#context;
    return clock.monotonicMs() - this.#reachedMs > 2 * blockMsOf(timings) + timings.pollMs;
  }

  async #takeUp(group: ConsumerGroup): Promise<void> {
    const { clock, timings, workerId, signal } = this.#context;
    if (this.#standsAside()) {
      // Nothing is taken up, but it is proved that it could be.
      await group.pending();
      await clock.sleep(timings.pollMs, signal);
      return;
    }
    const delivery = await group.next(workerId, { minIdleMs: timings.claimMs, blockMs: this.isDeaf() ? 0 : blockMsOf(timings), signal });
    if (delivery !== undefined) await this.#receive(delivery);
  }

  #reached(): void {
    this.#reachedMs = this.#context.clock.monotonicMs();
    if (this.#failing) this.#context.logger.info({}, 'panics are taken up again');
    this.#failing = false;
  }

  #failed(error: unknown): void {
    const { logger } = this.#context;
    if (!(error instanceof BusUnavailableError)) logger.error({ error: messageOf(error) }, 'a panic could not be taken up');
    else if (!this.#failing) logger.warn({ error: messageOf(error) }, 'panics cannot be taken up');
    this.#failing = true;
  }

  /** What is taken up now would be kept from the worker that it was left to. */
  #standsAside(): boolean {
    return [...this.#incidents.values()].some((incident) => incident.standsAside);
  }

  /** A re-arm has raised the epoch: what it superseded is no longer carried out. */
  async supersede(state: TradingState): Promise<void> {
    this.#lastKnown = state;
    for (const incident of this.#incidents.values()) {
      if (incident.epoch >= state.epoch) continue;
      this.#incidents.delete(incident.id);
      incident.supersede();
      await this.#audit('exit.superseded', `re-armed as epoch ${state.epoch}`, incident.id);
    }
  }

  async #receive(delivery: Delivery): Promise<void> {
    try {
      await this.#context.parts.received(delivery);
      await this.#decide(delivery);
    } catch (error) {
      // Not dealt with: whoever comes next need not wait for our claim on it to grow old.
      await delivery.release().catch(() => undefined);
      throw error;
    }
  }

  async #decide(delivery: Delivery): Promise<void> {
    const { parts, clock, account, timings } = this.#context;
    const { fields, appendedWallMs, id } = delivery.record;
    const decoded = decodeWrittenPanic(fields, appendedWallMs);
    if (!decoded.ok) return this.#discard(delivery, 'panic.malformed', decoded.problem, id);
    const written = decoded.value;
    if (written.scope === undefined || written.scope === account) {
      // Before the bus is asked for anything: a frozen bus must not delay it.
      this.#alarm('exit.panic_received', `${account}: panic by ${written.by}: ${written.reason}`, written.eventId);
    }
    const state = await this.#state(written);
    const panic = withEpoch(written, state);
    const decision = parts.judgePanic({ panic, state, account, wallMs: clock.wallMs() });
    if (decision.kind === 'other_account') {
      await delivery.ack();
      return;
    }
    if (decision.kind === 'stale_epoch') {
      const cause = `epoch ${panic.epoch} is over, now ${decision.currentEpoch}: ${panic.reason}`;
      return this.#discard(delivery, 'panic.stale_epoch', cause, panic.eventId);
    }
    const ageMs = clock.wallMs() - panic.wallMs;
    if (ageMs > timings.panicAgeAlarmMs) {
      this.#alarm('panic.old', `a panic ${Math.round(ageMs / 1_000)} s old is carried out: ${panic.reason}`, panic.eventId);
    }
    this.#join(decision.incident, decision.epoch, panic, delivery);
  }

  /** A state that nobody can understand does not keep a book open: the panic's own epoch then stands, or else the last one known. */
  async #state({ epoch }: WrittenPanic): Promise<TradingState> {
    try {
      return (await readTradingState(this.#context.bus)).state;
    } catch (error) {
      if (error instanceof BusDoubtError) return epoch === undefined ? this.#lastKnown : NEVER_ARMED;
      throw error;
    }
  }

  #join(id: string, epoch: number, panic: PanicClose, delivery: Delivery): void {
    if (this.#incidents.get(id)?.join(delivery, panic.eventId) === true) return;
    const incident = new Incident(this.#context, id, epoch, panic);
    incident.join(delivery, panic.eventId);
    this.#incidents.set(id, incident);
    const task = incident
      .run()
      .catch((error: unknown) => this.#context.logger.error({ error: messageOf(error), incident: id }, 'an incident ended with an error'))
      .then(() => {
        this.#tasks.delete(task);
        if (this.#incidents.get(id) === incident) this.#incidents.delete(id);
      });
    this.#tasks.add(task);
  }

  async #discard(delivery: Delivery, event: string, cause: string, subject: string): Promise<void> {
    this.#alarm(event, cause, subject);
    await this.#audit(event, cause, undefined);
    await delivery.ack();
  }

  #alarm(kind: string, summary: string, subject: string): void {
    const key = `${kind}/${subject}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    if (this.#told.size > TOLD_MAX) for (const oldest of [...this.#told].slice(0, TOLD_MAX / 2)) this.#told.delete(oldest);
    const { account, alert, clock } = this.#context;
    alert({ kind, severity: 'critical', account, summary, details: { subject }, wallMs: clock.wallMs() });
  }

  async #audit(event: string, cause: string, incident: string | undefined): Promise<void> {
    await this.#context.audit.record({ event, cause, details: {}, ...(incident === undefined ? {} : { incident }) });
  }
}
