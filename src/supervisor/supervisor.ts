/** Keeps services alive, and sees one die at once: with positions open or unknown it asks for the book to be closed before anything else. */
import { onAbort } from '../abort.js';
import { type Audit, createAudit } from '../audit/audit.js';
import { panicClose } from '../emergencyExit/panicClose.js';
import { BookWatch } from './bookWatch.js';
import { type Book, onDeath } from './onDeath.js';
import { type CheckedSupervisorOptions, checkSupervisorOptions, type SupervisorOptions } from './options.js';
import { type ServiceProcess, startProcess } from './process.js';
import type { Service } from './service.js';

/** Leaves time for the panic itself within the quarter of a second in which it has to stand. */
const ANSWER_MS = 100;
const SETTLE_EVERY_MS = 100;
const ACTOR = 'supervisor';

export interface Supervision {
  /** Services that died more often than is allowed. */
  readonly givenUp: readonly string[];
  /** Panics that this supervisor asked for and that stand on the bus. */
  readonly panics: number;
}

/**
 * Runs until the signal aborts and every service has ended in order, or until all were given up. Throws ConfigurationError for options
 * that cannot hold.
 */
export function supervise(given: SupervisorOptions, signal: AbortSignal): Promise<Supervision> {
  return new Supervisor(checkSupervisorOptions(given), signal).run();
}

class Supervisor {
  readonly #options: CheckedSupervisorOptions;
  readonly #signal: AbortSignal;
  readonly #book: BookWatch;
  readonly #audit: Audit;
  readonly #givenUp: string[] = [];
  #panics = 0;

  constructor(options: CheckedSupervisorOptions, signal: AbortSignal) {
    const { broker, clock, logger, bookEveryMs, bus } = options;
    this.#options = options;
    this.#signal = signal;
    this.#book = new BookWatch({ broker, clock, logger, everyMs: bookEveryMs, answerMs: ANSWER_MS });
    this.#audit = createAudit({ bus, actor: ACTOR, clock, logger });
  }

  async run(): Promise<Supervision> {
    const reading = new AbortController();
    const book = this.#book.run(reading.signal);
    // Side by side: one that is slow to come back holds up nobody else.
    await Promise.all(this.#options.services.map((service) => this.#keep(service)));
    reading.abort();
    await book;
    await this.#audit.flush();
    return { givenUp: this.#givenUp, panics: this.#panics };
  }

  async #keep(service: Service): Promise<void> {
    const { start = startProcess, clock, windowMs } = this.#options;
    let deathsMs: readonly number[] = [];
    while (!this.#signal.aborted) {
      const life = start(service);
      this.#say(`${service.name} runs as process ${life.pid ?? 'none'}`);
      const how = await this.#untilEnd(service, life);
      if (this.#signal.aborted) return;
      const nowMs = clock.monotonicMs();
      deathsMs = [...deathsMs.filter((atMs) => atMs > nowMs - windowMs), nowMs];
      if (!(await this.#afterDeath(service, how, deathsMs.length))) return;
    }
  }

  /** Answers how it ended. An end that was asked for is none that anybody has to answer for. */
  async #untilEnd({ name }: Service, life: ServiceProcess): Promise<string> {
    const { clock, endWithinMs } = this.#options;
    let forced: { cancel(): void } | undefined;
    const off = onAbort(this.#signal, () => {
      life.signal('SIGTERM');
      forced = clock.setTimer(endWithinMs, () => {
        this.#say(`${name} did not end within ${endWithinMs} ms: it is killed`);
        life.signal('SIGKILL');
      });
    });
    const { how } = await life.ended;
    off();
    forced?.cancel();
    return how;
  }

  /** Whether it is to be started again. The panic comes first: nothing else may hold it up. */
  async #afterDeath(service: Service, how: string, deaths: number): Promise<boolean> {
    const { maxRestarts } = this.#options;
    const { name, kind } = service;
    const book = await this.#book.now();
    const reaction = onDeath({ kind, book, deaths, maxRestarts });
    if (reaction.panic !== undefined) await this.#panic(reaction.panic, service);
    else if (kind === 'bot') await this.#untilSettled(service);
    this.#say(`${name} died (${how}), the book was ${book}; ${reaction.restart ? 'it is started again' : 'it is given up'}`);
    const details = { service: name, kind, how, book, deaths, restart: reaction.restart };
    void this.#audit.record({ event: 'supervisor.service_died', cause: `${name} died: ${how}`, details });
    if (!reaction.restart) this.#givenUp.push(name);
    return reaction.restart;
  }

  /** An order of the dead may still be on its way: once anything shows, it is a panic. */
  async #untilSettled(service: Service): Promise<void> {
    const { clock, settleMs } = this.#options;
    const untilMs = clock.monotonicMs() + settleMs;
    while (clock.monotonicMs() < untilMs && !this.#signal.aborted) {
      await clock.sleep(SETTLE_EVERY_MS, this.#signal);
      const book: Book = await this.#book.now();
      if (book !== 'flat') return this.#panic(`BOT_DIED_BOOK_${book === 'open' ? 'OPEN' : 'UNKNOWN'}`, service);
    }
  }

  /** Tried until it surely stands, or until this process is told to end. */
  async #panic(reason: string, { name }: Service): Promise<void> {
    const { bus, account, clock } = this.#options;
    const scope = account === undefined ? {} : { scope: account };
    while (!this.#signal.aborted) {
      const sent = await panicClose(bus, { reason, issuedBy: 'supervisor', by: `${ACTOR}:${name}`, ...scope }, { clock });
      if (sent.outcome === 'committed') {
        this.#panics += 1;
        this.#say(`panic_close stands: ${reason}`);
        return;
      }
      this.#say(`PANIC NOT CERTAIN (${reason}): ${sent.detail}. Close directly: failflat panic --direct --broker … --account …`);
    }
  }

  #say(text: string): void {
    this.#options.logger.info({ actor: ACTOR }, text);
    this.#options.onEvent?.(text);
  }
}
