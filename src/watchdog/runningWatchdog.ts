/** The watchdog at work: it watches the exit brains, doubts itself first, and sends panic_close when a brain can no longer be relied on. */
import { type Audit, createAudit } from '../audit/audit.js';
import type { Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import { type WrittenPanic, withEpoch } from '../messages/panicClose.js';
import { encodePeerBeat, WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';
import { NEVER_ARMED, type TradingState } from '../messages/tradingState.js';
import { createHaltMemory, type HaltMemory } from '../tradingState/memory.js';
import { Contact } from './contact.js';
import { Eyes, type Sight } from './eyes.js';
import { Judge, nowOf } from './judge.js';
import { type CheckedWatchdogOptions, checkWatchdogOptions, type WatchdogOptions } from './options.js';
import { oversee } from './overseen.js';
import { type PanicParts, Panics } from './panics.js';
import { Roster } from './roster.js';
import { ALL_RULES } from './rules/all.js';
import type { Rule } from './rules/rule.js';
import type { SelfDoubtLimits } from './selfDoubt.js';
import { sendPanic } from './sendPanic.js';
import { type Tempo, tempoOf } from './tempo.js';
import { Unattended } from './unattended.js';
import type { Watchdog, WatchdogStatus } from './watchdogFace.js';

/** The replaceable steps. Production uses {@link intactParts} only. */
export interface WatchdogParts extends PanicParts {
  readonly rules: readonly Rule[];
}

export const intactParts: WatchdogParts = {
  rules: ALL_RULES,
  sendPanic,
  resends: (incidents, nowMs) => incidents.takeDue(nowMs),
};

/** For compositions that replace a step; production code calls `createWatchdog`. */
export function assembleWatchdog(options: WatchdogOptions, parts: WatchdogParts = intactParts): Watchdog {
  return new RunningWatchdog(checkWatchdogOptions(options), parts);
}

const REMEMBERED = 1_000;
/** How many own beats lie between two looks for services that are long gone. */
const BEATS_PER_CLEARING = 100;
/** Between attempts to add a forgotten halt while it is not certain that it stands. */
const REASSERT_RETRY_MS = 250;

class RunningWatchdog implements Watchdog {
  readonly watchdogId: string;
  readonly #options: CheckedWatchdogOptions;
  readonly #generation: string;
  readonly #tempo: Tempo;
  readonly #audit: Pick<Audit, 'record'>;
  /** A record that was handed in goes on, and is flushed by whoever made it. */
  readonly #flushAudit: () => Promise<boolean>;
  readonly #memory: HaltMemory;
  readonly #roster: Roster;
  readonly #panics: Panics;
  readonly #unattended: Unattended;
  readonly #eyes: Eyes;
  readonly #contact: Contact;
  readonly #judge: Judge;
  readonly #closing = new AbortController();
  readonly #problems = new Set<string>();
  /** Panics without an epoch that came before the first state. */
  readonly #undated: WrittenPanic[] = [];
  #stateSeen = false;
  #sequence = 0;
  #beatTimer: Timer | undefined;
  #reasserting = false;
  #running: Promise<void> | undefined;

  constructor(options: CheckedWatchdogOptions, parts: WatchdogParts) {
    const { bus, clock, logger, random, watchdogId, alert, memoryFile, files, self, peerBeatMs, stallMs, reconnectAllowanceMs } = options;
    this.watchdogId = watchdogId;
    this.#options = options;
    this.#tempo = tempoOf(peerBeatMs);
    this.#generation = random.id();
    const actor = `watchdog:${watchdogId}`;
    const audit = createAudit({ bus, actor, clock, logger, random, self });
    this.#audit = options.audit ?? audit;
    this.#flushAudit = () => (options.audit === undefined ? audit.flush() : Promise.resolve(true));
    this.#memory = createHaltMemory({ by: actor, clock, logger, files, ...(memoryFile === undefined ? {} : { file: memoryFile }) });
    this.#roster = new Roster(options.rules.flappingWindowMs);
    const pace = { firstMs: options.resendMs, longestMs: options.resendMaxMs };
    const generation = this.#generation;
    this.#panics = new Panics({ bus, clock, logger, alert, audit: this.#audit, watchdogId, generation, pace }, parts);
    const { workerMissingMs } = options;
    this.#unattended = new Unattended({ bus, clock, logger, alert, audit: this.#audit, watchdogId, workerMissingMs });
    this.#eyes = new Eyes({ bus, clock, logger, tempo: this.#tempo, sight: this.#sight() });
    const doubtLimits = { tickGapMs: peerBeatMs + stallMs, contactMaxAgeMs: this.#tempo.contactMaxAgeMs, reconnectAllowanceMs };
    this.#contact = this.#createContact(doubtLimits);
    this.#judge = new Judge({
      clock,
      rules: parts.rules,
      limits: options.rules,
      doubtLimits,
      roster: this.#roster,
      panics: this.#panics,
      contact: this.#contact,
      lookEveryMs: this.#tempo.lookEveryMs,
    });
  }

  run(signal?: AbortSignal): Promise<void> {
    const stop = () => this.#closing.abort();
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.#running ??= this.#watch().finally(() => signal?.removeEventListener('abort', stop));
    return this.#running;
  }

  status(): WatchdogStatus {
    const { doubt } = this.#contact;
    const services = [...this.#roster.observeAll(nowOf(doubt))].map((observed) => {
      const suspicion = this.#judge.suspicionAbout(observed);
      return suspicion === undefined ? observed : { ...observed, suspicion };
    });
    const openPanics = this.#panics.incidents.open();
    return { watchdogId: this.watchdogId, doubt: doubt.doubt, epoch: this.#roster.epoch, services, openPanics };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#flushAudit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    this.#contact.restart();
    this.#roster.entered(NEVER_ARMED, this.#memory.highestEpoch(), 0);
    this.#beatEvery(this.#options.clock.monotonicMs());
    const { bus, clock, logger } = this.#options;
    const malformed = (where: string, problem: string) => this.#malformed(where, problem);
    await Promise.all([this.#eyes.follow(signal), oversee({ bus, clock, logger, tempo: this.#tempo, malformed }, signal)]);
    this.#beatTimer?.cancel();
    this.#judge.close();
    this.#panics.close();
  }

  #beatEvery(dueMs: number): void {
    if (this.#closing.signal.aborted) return;
    const { clock, peerBeatMs } = this.#options;
    this.#contact.wake();
    const nowMs = clock.monotonicMs();
    const nextMs = Math.max(dueMs + peerBeatMs, nowMs);
    this.#beatTimer = clock.setTimer(nextMs - nowMs, () => this.#beatEvery(nextMs));
    if (this.#eyes.contactAgeMs(nowMs) <= this.#tempo.blindAfterMs) void this.#beat(nowMs);
    this.#contact.keep();
    this.#panics.resendDue(nowMs);
    this.#lookForUnattended();
  }

  /** A doubt of our own stops the healthy clock: what passes in it is held against no worker. */
  #lookForUnattended(): void {
    const { doubt, healthyMs } = this.#contact.doubt;
    if (doubt === undefined) this.#unattended.look(this.#panics.incidents.openAccounts(), healthyMs);
  }

  async #beat(nowMs: number): Promise<void> {
    const { bus, logger, peerBeatMs } = this.#options;
    this.#sequence += 1;
    if (this.#sequence % BEATS_PER_CLEARING === 0) this.#roster.forgetTheLongGone(nowOf(this.#contact.doubt));
    const { host, bootId, pid } = this.#options.self;
    const fields = encodePeerBeat({
      peerId: this.watchdogId,
      generation: this.#generation,
      sequence: this.#sequence,
      host,
      bootId,
      pid,
      epoch: this.#roster.epoch,
    });
    try {
      await bus.append(WATCHDOG_HEARTBEAT, fields, { key: this.watchdogId, notAfterMs: nowMs + peerBeatMs, timeoutMs: 500 });
    } catch (error) {
      logger.warn({ problem: messageOf(error) }, 'own heartbeat not written');
    }
  }

  #createContact(limits: SelfDoubtLimits): Contact {
    const { bus, clock, logger, alert, busOutageMaxMs } = this.#options;
    return new Contact({
      bus,
      clock,
      logger,
      alert,
      watchdogId: this.watchdogId,
      limits,
      probeEveryMs: this.#tempo.probeEveryMs,
      busOutageMaxMs,
      readToEnd: () => this.#eyes.readToEnd(),
      doubtBegan: (doubt) => {
        logger.warn({ doubt }, 'watchdog doubts itself: nobody is accused until contact is proved and the streams are read');
        void this.#audit.record({ event: 'watchdog.doubt_began', cause: doubt });
      },
      doubtEnded: () => {
        void this.#audit.record({ event: 'watchdog.doubt_ended', cause: 'contact proved, everything read' });
        this.#reassert();
        this.#judge.look();
      },
      identityChanged: () => this.#reassert(),
    });
  }

  /** Adds again what the bus has forgotten of the halts that are remembered here; does nothing where it has forgotten none. */
  #reassert(): void {
    if (this.#reasserting) return;
    this.#reasserting = true;
    const { bus, clock, random, logger } = this.#options;
    void this.#memory
      .reassert(bus, { clock, random })
      .then(
        (outcome) => {
          if (outcome.outcome !== 'nothing') logger.warn({ outcome }, 'the bus had forgotten halts that this watchdog remembers');
          return outcome.outcome !== 'unknown';
        },
        (error: unknown) => {
          logger.error({ problem: messageOf(error) }, 'halts not reasserted');
          return false;
        },
      )
      .then((isCertain) => {
        this.#reasserting = false;
        // The state that lacks them may never change again, so nothing else would call for this.
        if (!isCertain && !this.#closing.signal.aborted) clock.setTimer(REASSERT_RETRY_MS, () => this.#reassert(), { keepAlive: false });
      });
  }

  #sight(): Sight {
    return {
      wake: () => this.#contact.wake(),
      brainBeat: (beat) => {
        const { healthyMs, doubt } = this.#contact.doubt;
        if (this.#roster.beat(beat, healthyMs, doubt !== undefined)) this.#judge.lookAt(beat.serviceId);
      },
      workerBeat: (beat) => {
        const { healthyMs } = this.#contact.doubt;
        this.#unattended.hear(beat, healthyMs);
        if (this.#roster.workerBeat(beat, healthyMs)) this.#judge.look();
      },
      window: (window) => {
        const { clock } = this.#options;
        // What comes while nothing is in doubt was announced just now: a wall clock that differs must not cut it short.
        const wallMs = this.#contact.doubt.doubt === undefined ? undefined : clock.wallMs();
        if (this.#roster.window(window, clock.monotonicMs(), wallMs)) {
          void this.#audit.record({ event: 'watchdog.maintenance_seen', cause: window.reason, details: { ...window } });
        }
      },
      panic: (panic) => this.#saw(panic),
      completion: (completion) => this.#panics.incidents.completed(completion),
      state: (state) => this.#entered(state),
      malformed: (where, problem) => this.#malformed(where, problem),
    };
  }

  /** Which epoch a panic belongs to that names none, only the state can tell. */
  #saw(panic: WrittenPanic): void {
    if (panic.epoch === undefined && !this.#stateSeen) {
      this.#undated.push(panic);
      if (this.#undated.length > REMEMBERED) this.#undated.shift();
      return;
    }
    const { epoch, state } = this.#roster;
    this.#panics.incidents.saw(withEpoch(panic, { ...state, epoch }), this.#options.clock.monotonicMs());
  }

  #entered(state: TradingState): void {
    this.#stateSeen = true;
    if (this.#memory.observe(state)) this.#reassert();
    const epoch = Math.max(state.epoch, this.#memory.highestEpoch());
    this.#roster.entered(state, epoch, this.#contact.doubt.healthyMs);
    this.#panics.incidents.entered(epoch, state.accounts);
    for (const panic of this.#undated.splice(0)) this.#saw(panic);
    for (const serviceId of state.services) if (!this.#roster.knows(serviceId)) void this.#askForLatest(serviceId);
    this.#judge.look();
  }

  async #askForLatest(serviceId: string): Promise<void> {
    try {
      await this.#eyes.readLatest(serviceId);
    } catch (error) {
      this.#options.logger.warn({ serviceId, problem: messageOf(error) }, 'last beat not readable: the service counts as never seen');
    }
  }

  #malformed(where: string, problem: string): void {
    if (this.#problems.has(where) || this.#problems.size >= REMEMBERED) return;
    this.#problems.add(where);
    this.#options.logger.error({ where, problem }, 'record not understood');
    void this.#audit.record({ event: 'watchdog.record_not_understood', cause: problem, details: { where } });
  }
}
