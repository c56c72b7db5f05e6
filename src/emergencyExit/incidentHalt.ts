/** The halt of one incident: added until it surely stands, by whoever hears of the panic. */
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { PanicClose } from '../messages/panicClose.js';
import { halt } from '../tradingState/halt.js';
import type { CommittedHalt } from './holders.js';
import type { WorkerContext } from './workerContext.js';

export class IncidentHalt {
  readonly #context: WorkerContext;
  readonly #incident: string;
  readonly #panic: PanicClose;
  readonly #isOver: () => boolean;
  #committed: CommittedHalt | undefined;
  #halting: Promise<void> | undefined;

  /** `isOver`: the halt is of no use any more, so it is not tried again. */
  constructor(context: WorkerContext, incident: string, panic: PanicClose, isOver: () => boolean) {
    this.#context = context;
    this.#incident = incident;
    this.#panic = panic;
    this.#isOver = isOver;
  }

  get committed(): CommittedHalt | undefined {
    return this.#committed;
  }

  /** Needs no claim, and however often it is begun it is one halt. */
  begin(): void {
    this.#halting ??= this.#untilCommitted();
    this.#halting.catch((error: unknown) => this.#context.logger.error({ error: messageOf(error) }, 'the halt could not be written'));
  }

  /** Returns once the halt is committed, or when waiting longer would leave the book open; in that case it goes on trying. */
  async raise(): Promise<void> {
    const { clock, timings } = this.#context;
    this.begin();
    await settleWithin(clock, this.#halting ?? Promise.resolve(), timings.haltPatienceMs);
  }

  async #untilCommitted(): Promise<void> {
    const { bus, clock, random, audit, timings, workerId, holders } = this.#context;
    // A panic without words is one all the same: no halt may fail over them.
    const reason = this.#panic.reason.trim() === '' ? 'no reason given' : this.#panic.reason;
    const request = { kind: 'exit', reason, by: workerId, incident: this.#incident, eventId: this.#panic.eventId } as const;
    while (!this.#isOver()) {
      const outcome = await halt(bus, request, { clock, random, audit, timeoutMs: timings.haltPatienceMs });
      if (outcome.outcome !== 'committed') continue;
      this.#committed = { atMs: clock.monotonicMs(), stateVersion: outcome.version, epoch: outcome.epoch };
      holders.refresh();
      return;
    }
  }
}
