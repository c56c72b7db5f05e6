/** One incident from the first panic to its verdict: claim, halt, close, prove, record; acknowledged last. */
import type { Alert } from '../alert/alert.js';
import { BusUnavailableError, type Delivery } from '../bus/bus.js';
import type { Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import { type ExitReport, type ExitVerdict, encodeExitReport, PANIC_COMPLETED, PANIC_ESCALATED } from '../messages/completion.js';
import type { PanicClose } from '../messages/panicClose.js';
import { halt } from '../tradingState/halt.js';
import { createBusLedger } from './busLedger.js';
import type { IncidentClaim } from './claim.js';
import { checkIdentity } from './condition.js';
import type { ExitEnd, ExitProgress } from './executor.js';
import { drainView } from './holders.js';
import { orderPrefix } from './legs.js';
import { recordSurely } from './record.js';
import type { Judgement } from './verdict.js';
import type { WorkerContext } from './workerContext.js';

type Verdict = Exclude<Judgement, { kind: 'continue' }>;

export class Incident {
  readonly #context: WorkerContext;
  readonly #panic: PanicClose;
  readonly #stop = new AbortController();
  readonly #deliveries: Delivery[] = [];
  #haltedMs: number | undefined;
  #over = false;

  constructor(
    context: WorkerContext,
    readonly id: string,
    readonly epoch: number,
    panic: PanicClose,
  ) {
    this.#context = context;
    this.#panic = panic;
  }

  /** A further send of the same panic, or another panic for the same incident. False: too late, it is over. */
  join(delivery: Delivery): boolean {
    if (this.#over) return false;
    this.#deliveries.push(delivery);
    return true;
  }

  /** A re-arm has superseded it, or the worker ends. */
  stop(): void {
    this.#stop.abort();
  }

  /** Works until the incident is over (by us or by another worker), superseded, or the worker stops. */
  async run(): Promise<void> {
    const { clock, timings, desk, logger } = this.#context;
    const renewals = this.#keepDeliveries();
    try {
      while (!this.#stopped()) {
        try {
          const attempt = await desk.tryTake(this.id, this.#panic.eventId);
          if (attempt.kind === 'done') return await this.#acknowledge();
          if (attempt.kind === 'taken') {
            if ((await this.#execute(attempt.claim)) === 'over') return await this.#acknowledge();
          } else {
            await clock.sleep(timings.claimMs / 8, this.#stop.signal);
          }
        } catch (error) {
          if (!(error instanceof BusUnavailableError))
            logger.error({ error: messageOf(error), incident: this.id }, 'the exit failed; it is begun again');
          await clock.sleep(timings.pollMs, this.#stop.signal);
        }
      }
      await this.#handBack();
    } finally {
      this.#over = true;
      renewals.cancel();
    }
  }

  /** Superseded: audited by the caller, and off the group's list. */
  async acknowledge(): Promise<void> {
    await this.#acknowledge();
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
    try {
      return await parts.inOrder(
        () => this.#halt(),
        () => this.#exit(claim, startedMs),
      );
    } finally {
      claim.release();
    }
  }

  /** Returns once the halt is committed, or when waiting longer would leave the book open; in that case it goes on trying. */
  async #halt(): Promise<void> {
    const { bus, clock, random, audit, timings, workerId } = this.#context;
    const request = { kind: 'exit', reason: this.#panic.reason, by: workerId, incident: this.id } as const;
    const trying = (async () => {
      while (!this.#stopped()) {
        const outcome = await halt(bus, request, { clock, random, audit, timeoutMs: timings.haltPatienceMs });
        if (outcome.outcome === 'committed') {
          this.#haltedMs = clock.monotonicMs();
          return;
        }
      }
    })();
    trying.catch((error: unknown) => this.#context.logger.error({ error: messageOf(error) }, 'the halt could not be written'));
    await Promise.race([trying, clock.sleep(timings.haltPatienceMs, this.#stop.signal)]);
  }

  async #exit(claim: IncidentClaim, startedMs: number): Promise<ExitEnd> {
    const { bus, clock, audit, account, workerId, broker, timings, limit, parts, roll } = this.#context;
    if (!(await this.#onRightAccount(claim, startedMs))) return 'stopped';
    const probe = await bus.probe();
    if (!probe.ok) throw new BusUnavailableError(probe.detail);
    const drain = () => {
      const view = drainView(roll.reports(), this.epoch, this.#haltedMs, timings.leaseTtlMs, timings.brokerTimeoutMs);
      // A list of holders that is older than the halt may lack the one that still sends.
      const current = this.#haltedMs !== undefined && roll.currentMs >= this.#haltedMs;
      return current ? view : { ...view, silentHolders: ['(the list of holders has not been read since the halt)'] };
    };
    const ledger = createBusLedger({
      bus,
      clock,
      audit,
      claim,
      incident: this.id,
      account,
      worker: workerId,
      orderPrefix: orderPrefix(probe.identity, this.id),
      drain,
    });
    const onVerdict = (judgement: Verdict, progress: ExitProgress) => this.#publish(claim, startedMs, judgement, progress);
    return parts.runExit({ broker, ledger, clock, timings, limit, signal: this.#stop.signal, onVerdict }, parts.exit);
  }

  /** The exit of one account must never run against another: it waits, alarmed, until the venue names the right one. */
  async #onRightAccount(claim: IncidentClaim, startedMs: number): Promise<boolean> {
    const { clock, broker, account, environment, timings } = this.#context;
    for (let told = false; !this.#stopped() && claim.isValid(); ) {
      const identity = await checkIdentity({ broker, account, environment, clock, readTimeoutMs: timings.readTimeoutMs });
      claim.progressed();
      if (identity.kind === 'matches') return true;
      if (identity.kind === 'differs' && !told) {
        told = true;
        const residue = [{ symbol: '*', quantity: 0, why: `the venue answers for ${identity.found}` }];
        await this.#publish(
          claim,
          startedMs,
          { kind: 'escalate', verdict: 'wrong_account', silentHolders: [], residue },
          { total: 0, closed: 0, openSymbols: [] },
        );
      }
      await clock.sleep(timings.pollMs, this.#stop.signal);
    }
    return false;
  }

  async #publish(claim: IncidentClaim, startedMs: number, judgement: Verdict, progress: ExitProgress): Promise<void> {
    const { bus, clock, audit, alert } = this.#context;
    const report = this.#report(claim, startedMs, judgement, progress);
    const completed = judgement.kind === 'completed';
    alert(this.#alertOf(report, completed));
    void audit.record({ event: `exit.${judgement.verdict}`, cause: this.#panic.reason, incident: this.id, details: { ...report } });
    const idempotencyKey = `${completed ? 'completed' : 'escalated'}/${this.id}/${claim.token}/${judgement.verdict}`;
    for (;;) {
      const stands = await recordSurely(bus, clock, completed ? PANIC_COMPLETED : PANIC_ESCALATED, encodeExitReport(report), {
        idempotencyKey,
        notAfterMs: claim.validUntilMs,
        signal: this.#stop.signal,
      });
      if (stands || !claim.isValid() || this.#stopped()) break;
    }
    if (completed) await claim.finish(this.#panic.eventId, judgement.verdict);
  }

  #report(claim: IncidentClaim, startedMs: number, judgement: Verdict, progress: ExitProgress): ExitReport {
    const { clock, account, workerId } = this.#context;
    const executionTimeMs = clock.monotonicMs() - startedMs;
    const completedWallMs = clock.wallMs();
    return {
      eventId: this.#panic.eventId,
      incident: this.id,
      account,
      epoch: this.epoch,
      verdict: judgement.verdict satisfies ExitVerdict,
      positionsTotal: progress.total,
      positionsClosed: progress.closed,
      positionsFailed: progress.total - progress.closed,
      failedSymbols: [...progress.openSymbols],
      startedWallMs: Math.max(0, completedWallMs - executionTimeMs),
      completedWallMs,
      executionTimeMs,
      fencingToken: claim.token,
      worker: workerId,
      silentHolders: judgement.silentHolders,
      residue: judgement.residue,
    };
  }

  #alertOf(report: ExitReport, completed: boolean): Alert {
    return {
      kind: `exit.${report.verdict}`,
      severity: completed && report.verdict === 'flat' ? 'info' : 'critical',
      incident: this.id,
      account: report.account,
      summary: `${report.account}: ${report.verdict}, ${report.positionsClosed} of ${report.positionsTotal} positions closed`,
      details: { ...report },
      wallMs: this.#context.clock.wallMs(),
    };
  }

  #keepDeliveries(): Timer {
    const { clock, timings } = this.#context;
    let timer: Timer | undefined;
    const tick = () => {
      // Losing a delivery to another worker is harmless: the claim on the incident decides who acts.
      for (const delivery of this.#deliveries) delivery.renew().catch(() => false);
      timer = clock.setTimer(timings.claimMs / 4, tick, { keepAlive: false });
    };
    tick();
    return { cancel: () => timer?.cancel() };
  }

  /** A worker that ends in order does not make its successor wait. */
  async #handBack(): Promise<void> {
    for (const delivery of this.#deliveries.splice(0)) await delivery.release().catch(() => undefined);
  }

  async #acknowledge(): Promise<void> {
    const { clock, timings, signal } = this.#context;
    while (this.#deliveries.length > 0 && !signal.aborted) {
      try {
        await this.#deliveries[0]?.ack();
        this.#deliveries.shift();
        if (this.#deliveries.length === 0) this.#over = true;
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) throw error;
        await clock.sleep(timings.pollMs, signal);
      }
    }
  }
}
