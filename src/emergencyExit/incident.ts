/** One incident from the first panic to its verdict: claim, halt, close, prove, record; acknowledged last. */
import type { WorkingOrder } from '../broker/broker.js';
import { BusUnavailableError, type Delivery } from '../bus/bus.js';
import type { Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import { encodeExitReport, PANIC_COMPLETED, PANIC_ESCALATED } from '../messages/completion.js';
import type { PanicClose } from '../messages/panicClose.js';
import { createBusLedger } from './busLedger.js';
import type { ClaimAttempt, IncidentClaim } from './claim.js';
import { checkIdentity } from './condition.js';
import { exitAlert, exitReport } from './exitReport.js';
import { type ExitEnd, type ExitProgress, NO_PROGRESS } from './exitRun.js';
import { HeldDeliveries } from './heldDeliveries.js';
import { drainView } from './holders.js';
import { IncidentHalt } from './incidentHalt.js';
import { orderPrefix } from './legs.js';
import type { DrainView } from './plan.js';
import { recordSurely } from './record.js';
import { repeatEvery } from './repeat.js';
import type { Verdict } from './verdict.js';
import type { WorkerContext } from './workerContext.js';

export class Incident {
  readonly #context: WorkerContext;
  readonly #panic: PanicClose;
  readonly #stop = new AbortController();
  readonly #deliveries = new HeldDeliveries();
  /** The panics that have joined. */
  readonly #answers = new Set<string>();
  /** Those among them that the completion on record answers. */
  #answered: readonly string[] = [];
  readonly #halt: IncidentHalt;
  #over = false;
  #moved = true;
  #claim: IncidentClaim | undefined;
  /** Asked for when the panic came; for the first exit alone, as it grows old. */
  #working: Promise<readonly WorkingOrder[]> | undefined;
  /** Why nobody can have the claim, as far as this worker can tell. */
  #unclaimable: string | undefined;
  #superseded = false;
  #standsAside = false;
  #mustSpeak = false;
  /** For whom the venue answered instead, as people have been told. */
  #wrongAccount: string | undefined;
  #verdicts = 0;
  /** Verdicts that people have been told of, by fencing token. */
  readonly #told = new Set<string>();

  constructor(
    context: WorkerContext,
    readonly id: string,
    readonly epoch: number,
    panic: PanicClose,
  ) {
    this.#context = context;
    this.#panic = panic;
    this.#halt = new IncidentHalt(context, id, panic, () => this.#stopped() || this.#over);
  }

  /** A further send of the same panic, or another panic for the same incident. False: too late, it is over. */
  join(delivery: Delivery, eventId: string): boolean {
    if (this.#over) return false;
    this.#answers.add(eventId);
    this.#deliveries.add(delivery, eventId);
    if (this.#standsAside) void this.#deliveries.handBack();
    return true;
  }

  /** While it does, another worker must be able to get the panic. */
  get standsAside(): boolean {
    return this.#standsAside;
  }

  /** The worker ends: another one goes on. */
  stop(): void {
    this.#stop.abort();
  }

  /** A re-arm has ended it: it is not carried out any further, and nobody else takes it up. */
  supersede(): void {
    this.#superseded = true;
    this.#stop.abort();
  }

  /** Works until the incident is over (by us or by another worker), superseded, or the worker stops. */
  async run(): Promise<void> {
    const renewals = this.#keepDeliveries();
    const { broker, clock, timings, parts } = this.#context;
    parts.atOnce(() => this.#halt.begin());
    // Nothing is done about them before the claim and the halt, but the venue's answer is there by then.
    this.#working = parts.exit.readOrders(broker, clock, timings.readTimeoutMs);
    const ended = new AbortController();
    void this.#callForHelp(ended.signal);
    try {
      while (!this.#stopped()) {
        if (await this.#attempt()) {
          // A panic that comes from now on is looked at anew: the book may have changed since the verdict.
          this.#over = true;
          await this.#deliveries.handBackAllBut(this.#answered);
          return await this.#acknowledge();
        }
      }
      if (this.#superseded) await this.#acknowledge();
      else await this.#deliveries.handBack();
    } finally {
      this.#over = true;
      ended.abort();
      renewals.cancel();
    }
  }

  /** An exit that does not even get to judge (its venue is silent, or it fails again and again) is escalated all the same. */
  async #callForHelp(ended: AbortSignal): Promise<void> {
    const { clock, timings } = this.#context;
    const startedMs = clock.monotonicMs();
    await clock.sleep(timings.deadlineMs, ended);
    while (!ended.aborted && !this.#stopped() && this.#verdicts === 0) {
      this.#mustSpeak = true;
      const claim = this.#claim;
      const cause = this.#unclaimable === undefined ? '' : `: ${this.#unclaimable}`;
      const residue = [{ symbol: '*', quantity: 0, why: `nothing could be said of the book in ${timings.deadlineMs} ms${cause}` }];
      const judgement = { kind: 'escalate', verdict: 'deadline_passed', silentHolders: [], residue } as const;
      if (claim?.isValid() === true) await this.#publish(claim, startedMs, judgement, NO_PROGRESS);
      else if (this.#unclaimable !== undefined) await this.#publish(undefined, startedMs, judgement, NO_PROGRESS);
      await clock.sleep(timings.claimMs / 4, ended);
    }
    this.#mustSpeak = false;
  }

  /** True when the incident is over. */
  async #attempt(): Promise<boolean> {
    const { clock, timings, logger } = this.#context;
    this.#moved = true;
    try {
      const attempt = await this.#tryTake();
      if (attempt.kind === 'done') {
        this.#answered = [this.#panic.eventId];
        return true;
      }
      if (attempt.kind === 'taken') {
        const end = await this.#execute(attempt.claim);
        if (end === 'out_of_reach') await this.#standAside();
        return end === 'over';
      }
      await clock.sleep(timings.claimMs / 8, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof BusUnavailableError))
        logger.error({ error: messageOf(error), incident: this.id }, 'the exit failed; it is begun again');
      await clock.sleep(timings.pollMs, this.#stop.signal);
    }
    return false;
  }

  async #tryTake(): Promise<ClaimAttempt> {
    try {
      const attempt = await this.#context.claims.tryTake(this.id, this.#panic.eventId);
      this.#unclaimable = undefined;
      return attempt;
    } catch (error) {
      this.#unclaimable = messageOf(error);
      throw error;
    }
  }

  /**
   * Leaves claim and panic to whoever can reach the venue, for longer than a standby needs to take them over. It ends early
   * when this worker can read its venue again (there may be no other), or must call for help.
   */
  async #standAside(): Promise<void> {
    const { clock, timings, condition } = this.#context;
    const sinceMs = clock.monotonicMs();
    this.#standsAside = true;
    await this.#deliveries.handBack();
    condition.refresh();
    while (!this.#stopped() && !this.#mustSpeak && !condition.hasReadSince(sinceMs)) {
      if (clock.monotonicMs() - sinceMs >= 2 * timings.claimMs) break;
      await clock.sleep(timings.pollMs, this.#stop.signal);
    }
    this.#standsAside = false;
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted || this.#context.signal.aborted;
  }

  async #execute(claim: IncidentClaim): Promise<ExitEnd> {
    const { audit, workerId, parts } = this.#context;
    const startedMs = this.#context.clock.monotonicMs();
    const { reason, by } = this.#panic;
    void audit.record({
      event: 'exit.taken_up',
      cause: reason,
      incident: this.id,
      details: { by, fencingToken: claim.token, worker: workerId },
    });
    this.#claim = claim;
    let end: ExitEnd | undefined;
    try {
      end = await parts.inOrder(
        () => this.#halt.raise(),
        () => this.#exit(claim, startedMs),
      );
      return end;
    } finally {
      if (this.#stopped() || end === 'out_of_reach') await claim.handBack();
      else claim.release();
    }
  }

  async #exit(claim: IncidentClaim, startedMs: number): Promise<ExitEnd> {
    const { bus, clock, audit, account, workerId, broker, timings, limit, limitCancels, remembered, names, parts } = this.#context;
    const { name, isRenamed, forgotten } = await names.read();
    const ledger = createBusLedger({
      bus,
      clock,
      audit,
      claim,
      incident: this.id,
      account,
      worker: workerId,
      orderPrefix: orderPrefix(name, this.id),
      isRenamed,
      forgotten,
      drain: () => this.#drain(),
    });
    const onVerdict = (judgement: Verdict, progress: ExitProgress) => this.#publish(claim, startedMs, judgement, progress);
    const mayBegin = () => this.#onRightAccount(claim, startedMs);
    // A claim's time without a reading: whoever stands by could have closed meanwhile.
    const working = this.#working;
    this.#working = undefined;
    const venue = { broker, limit, limitCancels, remembered, working, outOfReachMs: timings.claimMs, mayBegin };
    const said = { panics: () => this.#answers.size, onVerdict };
    return parts.runExit({ ledger, clock, timings, signal: this.#stop.signal, ...venue, ...said }, parts.exit);
  }

  #drain(): DrainView {
    const { timings, holders } = this.#context;
    const halt = this.#halt.committed;
    const view = drainView(holders.roll, this.epoch, halt, timings);
    // A list of holders that is older than the halt may lack the one that still sends.
    const current = halt !== undefined && holders.currentMs >= halt.atMs;
    return current ? view : { ...view, silentHolders: ['(the list of holders has not been read since the halt)'] };
  }

  /** The exit of one account must never run against another. False: not while this worker has the claim. */
  async #onRightAccount(claim: IncidentClaim, startedMs: number): Promise<boolean> {
    const { clock, broker, account, environment, timings } = this.#context;
    const untilMs = clock.monotonicMs() + timings.claimMs;
    while (!this.#stopped() && claim.isValid()) {
      const identity = await checkIdentity({ broker, account, environment, clock, readTimeoutMs: timings.readTimeoutMs });
      if (identity.kind === 'matches') return true;
      if (identity.kind === 'differs') await this.#sayWrongAccount(claim, startedMs, identity.found);
      if (identity.kind === 'differs' || clock.monotonicMs() >= untilMs) return false;
      await clock.sleep(timings.pollMs, this.#stop.signal);
    }
    return false;
  }

  /** Once, however often the claim comes back to this worker. */
  async #sayWrongAccount(claim: IncidentClaim, startedMs: number, found: string): Promise<void> {
    if (this.#wrongAccount === found) return;
    const residue = [{ symbol: '*', quantity: 0, why: `the venue answers for ${found}` }];
    const judgement = { kind: 'escalate', verdict: 'wrong_account', silentHolders: [], residue } as const;
    if (await this.#publish(claim, startedMs, judgement, NO_PROGRESS)) this.#wrongAccount = found;
  }

  /** True when the verdict stands on the bus, under this claim where there is one. Nothing is acknowledged before that. */
  async #publish(claim: IncidentClaim | undefined, startedMs: number, judgement: Verdict, progress: ExitProgress): Promise<boolean> {
    const { bus, clock, audit, alert, account, workerId } = this.#context;
    const { eventId } = this.#panic;
    const answers = [...this.#answers];
    const fencingToken = claim?.token ?? 0;
    const subject = { eventId, answers, incident: this.id, account, epoch: this.epoch, fencingToken, worker: workerId };
    const report = exitReport(subject, judgement, progress, { nowMs: clock.monotonicMs(), startedMs, wallMs: clock.wallMs() });
    const completed = judgement.kind === 'completed';
    const said = `${this.id}/${fencingToken}/${judgement.verdict}${answers.length > 1 ? `/${answers.length}` : ''}`;
    if (!this.#told.has(said)) {
      this.#told.add(said);
      // Straight to people, before the bus is asked for anything.
      alert(exitAlert(report, clock.wallMs()));
      void audit.record({ event: `exit.${judgement.verdict}`, cause: this.#panic.reason, incident: this.id, details: { ...report } });
    }
    const stands = await recordSurely(bus, clock, completed ? PANIC_COMPLETED : PANIC_ESCALATED, encodeExitReport(report), {
      idempotencyKey: `${completed ? 'completed' : 'escalated'}/${said}`,
      ...(claim === undefined ? {} : { notAfterMs: claim.validUntilMs }),
      signal: this.#stop.signal,
    });
    if (stands) this.#verdicts += 1;
    if (!stands || judgement.kind === 'escalate') return stands;
    this.#answered = report.answers ?? [eventId];
    return claim?.finish(eventId, judgement.verdict) ?? false;
  }

  #keepDeliveries(): Timer {
    const { clock, timings } = this.#context;
    return repeatEvery(clock, timings.claimMs / 4, () => {
      // Renewed by progress only, so that a standby gets what a stuck worker holds.
      const moved = this.#moved || this.#claim?.isValid() === true;
      this.#moved = false;
      if (moved) this.#deliveries.renew();
    });
  }

  #acknowledge(): Promise<void> {
    const { clock, timings, signal } = this.#context;
    return this.#deliveries.acknowledge(clock, timings.pollMs, signal);
  }
}
