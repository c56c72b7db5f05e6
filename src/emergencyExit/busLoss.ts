/** What a worker does when its bus stays away: people are told, and if so configured the book is closed under a local incident. */
import type { DurableFiles } from '../durableFile.js';
import { messageOf, systemCodeOf } from '../errors.js';
import { encodePanicClose, firstSendKey, incidentId, PANIC_CLOSE, type PanicClose } from '../messages/panicClose.js';
import type { TradingState } from '../messages/tradingState.js';
import { derivedId } from '../random.js';
import { halt } from '../tradingState/halt.js';
import { readBusName } from './busName.js';
import { checkIdentity } from './condition.js';
import { memoryLedger } from './directRun.js';
import { orderPrefix } from './legs.js';
import type { BusLostPolicy } from './options.js';
import { recordSurely } from './record.js';
import type { WorkerContext } from './workerContext.js';

interface LocalIncident {
  readonly id: string;
  readonly sinceWallMs: number;
  /** Kept with it: who starts again without the bus must find what was sent before. */
  readonly orderPrefix?: string;
}

/** A file that cannot be understood is an incident all the same: that it exists says that a book was closed here without a bus. */
function load(files: DurableFiles, file: string): LocalIncident | undefined {
  let text: string;
  try {
    text = files.read(file);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    return { id: `unreadable-${derivedId(file)}`, sinceWallMs: 0 };
  }
  try {
    const parsed: unknown = JSON.parse(text);
    const stored: Partial<Record<keyof LocalIncident, unknown>> = typeof parsed === 'object' && parsed !== null ? parsed : {};
    const { id, sinceWallMs } = stored;
    if (typeof id === 'string' && typeof sinceWallMs === 'number') {
      return { id, sinceWallMs, ...(typeof stored.orderPrefix === 'string' ? { orderPrefix: stored.orderPrefix } : {}) };
    }
  } catch {
    // Torn.
  }
  return { id: `unreadable-${derivedId(file)}`, sinceWallMs: 0 };
}

export class BusLoss {
  readonly #context: WorkerContext;
  readonly #file: string | undefined;
  readonly #files: DurableFiles;
  readonly #flattens: boolean;
  #incident: LocalIncident | undefined;
  #heardMs: number;
  #wroteMs: number;
  #unwritable = false;
  #epoch = 0;
  #busName: string | undefined;
  #lost = false;
  #stop = new AbortController();
  #flattening: Promise<void> | undefined;

  /** `file`: where a local incident outlives this process. */
  constructor(context: WorkerContext, policy: BusLostPolicy, file: string | undefined, files: DurableFiles) {
    this.#context = context;
    this.#file = file;
    this.#files = files;
    this.#flattens = policy === 'flatten';
    this.#heardMs = context.clock.monotonicMs();
    this.#wroteMs = this.#heardMs;
    this.#incident = file === undefined ? undefined : load(files, file);
  }

  /** The bus answers. What was closed without it blocks the next re-arm until it has been looked at. */
  async heard(state: TradingState): Promise<void> {
    this.#heardMs = this.#context.clock.monotonicMs();
    this.#epoch = state.epoch;
    this.#lost = false;
    await this.#identify();
    // Only once: each abort without a reason makes an error with a stack of its own, and this is heard at every beat.
    if (!this.#stop.signal.aborted) this.#stop.abort();
    await this.#flattening;
    this.#flattening = undefined;
    if (this.#incident !== undefined) await this.#reconcile(this.#incident, state);
  }

  async #identify(): Promise<void> {
    if (this.#busName !== undefined) return;
    const { bus, random, logger } = this.#context;
    try {
      this.#busName = await readBusName(bus, random);
    } catch (error) {
      logger.debug({ problem: messageOf(error) }, 'the name of the bus is not known yet');
    }
  }

  /** The same for every worker of the account, with the bus or without: two that close at once send one order between them. */
  #orderPrefix(): string {
    return orderPrefix(this.#busName ?? '', incidentId(this.#context.account, this.#epoch));
  }

  /** A beat has reached the bus. */
  wrote(): void {
    this.#wroteMs = this.#context.clock.monotonicMs();
    this.#unwritable = false;
  }

  /** None has, or none was tried since no panic can be taken up. A bus that can be read all the same (a full disk) is not lost, yet no panic can be carried out over it. */
  unwritten(): void {
    const { clock, timings, account, alert } = this.#context;
    const nowMs = clock.monotonicMs();
    const isHeard = nowMs - this.#heardMs < timings.busOutageMaxMs / 2;
    if (this.#unwritable || !isHeard || nowMs - this.#wroteMs < timings.busOutageMaxMs) return;
    this.#unwritable = true;
    const summary = `${account}: for ${timings.busOutageMaxMs} ms the bus has taken nothing from this worker, or given it no panic: it cannot carry one out`;
    alert({ kind: 'bus.unwritable', severity: 'critical', account, summary, details: {}, wallMs: clock.wallMs() });
  }

  /** The bus does not answer. */
  silent(): void {
    const { clock, timings, account, alert } = this.#context;
    if (this.#lost || clock.monotonicMs() - this.#heardMs < timings.busOutageMaxMs) return;
    this.#lost = true;
    const action = this.#flattens ? 'the book is closed without it' : 'a person must look';
    const summary = `${account}: no contact to the bus for ${timings.busOutageMaxMs} ms: ${action}`;
    alert({ kind: 'bus.lost', severity: 'critical', account, summary, details: {}, wallMs: clock.wallMs() });
    if (!this.#flattens || this.#flattening !== undefined) return;
    this.#stop = new AbortController();
    this.#flattening = this.#flatten(this.#stop.signal);
  }

  /** Ends with the worker. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#flattening;
  }

  async #flatten(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#context;
    try {
      const incident = this.#incident ?? { id: random.id(), sinceWallMs: clock.wallMs(), orderPrefix: this.#orderPrefix() };
      this.#incident = incident;
      // Remembered before anything is sent: whoever starts here next must know of it.
      if (this.#file !== undefined) await this.#files.replace(this.#file, JSON.stringify(incident));
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'a local incident cannot be remembered: a restart would forget it');
    }
    try {
      await this.#exit(signal);
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'closing without the bus failed');
    }
  }

  async #forget(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await this.#files.remove(this.#file);
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return;
      // Harmless for the book, but a restart would tell the bus of this incident once more.
      this.#context.logger.error({ file: this.#file, error: messageOf(error) }, 'a local incident that is over stays remembered');
    }
  }

  async #exit(signal: AbortSignal): Promise<void> {
    const { broker, account, environment, clock, timings, limit, limitCancels, remembered, logger, alert, parts } = this.#context;
    while (!signal.aborted) {
      const identity = await checkIdentity({ broker, account, environment, clock, readTimeoutMs: timings.readTimeoutMs });
      if (identity.kind === 'matches') break;
      await clock.sleep(timings.pollMs, signal);
    }
    if (signal.aborted) return;
    const ledger = memoryLedger({
      timings,
      orderPrefix: this.#incident?.orderPrefix ?? this.#orderPrefix(),
      mayBeRepeating: true,
      // No lease outlives the contact that it was renewed through.
      haltedMs: this.#heardMs,
      note: (event, cause, details) => logger.info({ event, ...details }, cause),
    });
    const onVerdict = async ({ verdict }: { readonly verdict: string }, progress: object) => {
      const summary = `${account}: ${verdict}, without the bus`;
      alert({ kind: `bus.lost.${verdict}`, severity: 'critical', account, summary, details: { ...progress }, wallMs: clock.wallMs() });
      return true;
    };
    await parts.runExit({ broker, ledger, clock, timings, limit, limitCancels, remembered, signal, onVerdict }, parts.exit);
  }

  async #reconcile(local: LocalIncident, state: TradingState): Promise<void> {
    const { bus, clock, random, audit, account, workerId, timings, signal } = this.#context;
    const reason = 'the book was closed while the bus was away';
    const request = {
      kind: 'exit',
      reason,
      by: workerId,
      incident: incidentId(account, state.epoch),
      id: `exit/local/${local.id}`,
    } as const;
    const halted = await halt(bus, request, { clock, random, audit, timeoutMs: timings.haltPatienceMs });
    if (halted.outcome !== 'committed') return;
    // An incident as any other: the book is read again, holders are asked, and its completion is recorded.
    const panic: PanicClose = {
      eventId: local.id,
      reason,
      issuedBy: 'risk_kernel',
      by: workerId,
      wallMs: clock.wallMs(),
      epoch: halted.epoch,
      scope: account,
      resend: 0,
    };
    const notAfterMs = clock.monotonicMs() + timings.haltPatienceMs;
    const options = { idempotencyKey: firstSendKey(local.id), notAfterMs, signal };
    if (!(await recordSurely(bus, clock, PANIC_CLOSE, encodePanicClose(panic), options))) return;
    void audit.record({ event: 'exit.local_incident', cause: reason, details: { ...local } });
    await this.#forget();
    this.#incident = undefined;
  }
}
