/** Clients that halt trading, read whether it goes on and arm it again, while faults are made: each operation is recorded. */

import type { Broker } from '../../broker/broker.js';
import { createPaperBroker } from '../../brokers/paper/index.js';
import type { Bus } from '../../bus/bus.js';
import { FROM_START } from '../../bus/bus.js';
import { openBus } from '../../bus/openBus.js';
import { systemClock } from '../../clock.js';
import { ACCOUNT } from '../../drill/cast.js';
import { panicClose } from '../../emergencyExit/panicClose.js';
import { messageOf } from '../../errors.js';
import { decodePanicClose, PANIC_CLOSE } from '../../messages/panicClose.js';
import { halt } from '../../tradingState/halt.js';
import { createHaltMemory, type HaltMemory } from '../../tradingState/memory.js';
import { readTradingState } from '../../tradingState/read.js';
import { RearmRefusedError, rearm } from '../../tradingState/rearm.js';
import type { BookPosition } from '../../tradingState/rearmPlan.js';
import type { PanicOperation, RegisterOperation } from '../history/operation.js';
import type { Scene } from './scene.js';
import type { SuiteScenario } from './schema.js';

const READ_EVERY_MS = 25;
const HALT_TIMEOUT_MS = 1_000;
/** Between the arming and the next halt, and between the halt and the next arming. */
const ACTIVE_MS = 700;
const HALTED_MS = 400;
/** A round whose trading is not armed again by then ends the workload. */
const ROUND_MS = 30_000;

interface Client {
  readonly name: string;
  readonly bus: Bus;
  /** What it has seen: it believes no bus that has forgotten a halt. */
  readonly memory: HaltMemory;
}

type Asked = NonNullable<SuiteScenario['workload']>;

export class HaltWorkload {
  readonly register: RegisterOperation[] = [];
  readonly panics: PanicOperation[] = [];
  readonly #scene: Scene;
  readonly #asked: Asked;
  /** The operator's own way to the book: trading is armed again with the positions that it shows. */
  readonly #venue: Broker;
  readonly #clients: Client[] = [];
  readonly #readers: Promise<void>[] = [];
  #isClosing = false;
  #number = 0;

  private constructor(scene: Scene, asked: Asked, venue: Broker) {
    this.#scene = scene;
    this.#asked = asked;
    this.#venue = venue;
  }

  /** The first client of one that has a partition is cut off with the others. */
  static async open(scene: Scene, asked: Asked, { isCutOff }: { readonly isCutOff: boolean }): Promise<HaltWorkload> {
    const { cast, timings } = scene.conductor;
    const venue = createPaperBroker({ url: cast.venueUrl, account: ACCOUNT, source: 'operator', timeoutMs: timings.brokerTimeoutMs });
    const workload = new HaltWorkload(scene, asked, venue);
    // Orders that are refused for its first halt are its doing.
    scene.began();
    for (let number = 1; number <= asked.clients; number += 1) {
      const name = `client-${number}`;
      const bus = await openBus(isCutOff && number === 1 ? cast.cutOffUrl : cast.bus.url);
      workload.#clients.push({ name, bus, memory: createHaltMemory({ by: name }) });
    }
    for (const client of workload.#clients) workload.#readers.push(workload.#read(client));
    return workload;
  }

  /** How often trading has to be halted and armed again. */
  get rounds(): number {
    return this.#asked.rounds;
  }

  /** Halts and arms again, so many times, and on until every fault has ended. */
  async run(): Promise<void> {
    for (let round = 0; round < this.#asked.rounds || !this.#scene.isOver; round += 1) {
      await this.#scene.conductor.sleep(ACTIVE_MS);
      await this.#haltTogether();
      await this.#scene.conductor.sleep(HALTED_MS);
      if (!(await this.#armAgain())) return;
    }
    await this.#scene.conductor.sleep(ACTIVE_MS);
  }

  /** The operator's panic, which ends every workload. */
  async panic(): Promise<void> {
    const invokedMs = systemClock.monotonicMs();
    const sent = await panicClose(this.#scene.conductor.cast.bus, { reason: 'the workload is over', by: 'operator' });
    const endedMs = systemClock.monotonicMs();
    this.#scene.conductor.marks.panicGivenMs = invokedMs;
    const outcome = sent.outcome === 'committed' ? 'ok' : 'info';
    this.panics.push({ kind: 'panic', client: 'operator', eventId: sent.eventId, invokedMs, endedMs, outcome });
  }

  /** Ids of the panics that are on the bus now, read from its beginning by somebody who was not there before. */
  async standingPanics(): Promise<readonly string[]> {
    const bus = await openBus(this.#scene.conductor.cast.bus.url);
    try {
      const { records } = await bus.read(PANIC_CLOSE, FROM_START);
      return records.map(({ fields }) => decodePanicClose(fields)).flatMap((decoded) => (decoded.ok ? [decoded.value.eventId] : []));
    } finally {
      await bus.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#readers);
    await Promise.all(this.#clients.map(({ bus }) => bus.close()));
    await this.#venue.close();
  }

  async #read(client: Client): Promise<void> {
    while (!this.#isClosing) {
      const invokedMs = systemClock.monotonicMs();
      const value = await this.#lookAs(client);
      const endedMs = systemClock.monotonicMs();
      const outcome = value === undefined ? 'fail' : 'ok';
      this.register.push({ kind: 'read', client: client.name, invokedMs, endedMs, outcome, value });
      await systemClock.sleep(READ_EVERY_MS);
    }
  }

  /** Undefined: it cannot be read, or is not to be believed. */
  async #lookAs({ bus, memory }: Client) {
    try {
      const { state } = await readTradingState(bus);
      if (!memory.observe(state)) return { active: state.mode === 'ACTIVE', halts: state.halts.map(({ id }) => id) };
      await memory.reassert(bus, { timeoutMs: HALT_TIMEOUT_MS });
      return undefined;
    } catch {
      // No answer is no reading.
      return undefined;
    }
  }

  async #haltTogether(): Promise<void> {
    const from = this.#number % this.#clients.length;
    const writers = [...this.#clients.slice(from), ...this.#clients].slice(0, this.#asked.writers);
    await Promise.all(writers.map((client) => this.#haltAs(client)));
  }

  async #haltAs({ name, bus }: Client): Promise<void> {
    this.#number += 1;
    const haltId = `${name}/${this.#number}`;
    const invokedMs = systemClock.monotonicMs();
    const { outcome } = await halt(bus, { kind: 'manual', reason: 'workload', by: name, id: haltId }, { timeoutMs: HALT_TIMEOUT_MS });
    const endedMs = systemClock.monotonicMs();
    this.register.push({ kind: 'halt', client: name, haltId, invokedMs, endedMs, outcome: outcome === 'committed' ? 'ok' : 'info' });
  }

  /** Answers whether trading is active again. */
  async #armAgain(): Promise<boolean> {
    const { conductor } = this.#scene;
    const { bus } = conductor.cast;
    const { dwellMs, observeMs } = conductor.timings.rearm;
    const untilMs = systemClock.monotonicMs() + ROUND_MS;
    while (systemClock.monotonicMs() < untilMs) {
      const [clears, acknowledged] = await Promise.all([this.#halts(bus), this.#book().catch(() => [])]);
      const request = { by: 'admin', reason: 'workload', clears, acknowledged };
      const invokedMs = systemClock.monotonicMs();
      const outcome = await rearm(bus, request, { dwellMs, observeMs, readBook: () => this.#book() }).then(
        () => 'ok' as const,
        (error: unknown) => {
          conductor.say(messageOf(error));
          return outcomeOf(error);
        },
      );
      this.register.push({ kind: 'rearm', client: 'admin', clears, invokedMs, endedMs: systemClock.monotonicMs(), outcome });
      if (outcome === 'ok') return true;
      await conductor.sleep(READ_EVERY_MS);
    }
    conductor.say('trading was not armed again in time: the workload ends');
    return false;
  }

  async #halts(bus: Bus): Promise<readonly string[]> {
    return readTradingState(bus).then(
      ({ state }) => state.halts.map(({ id }) => id),
      () => [],
    );
  }

  async #book(): Promise<readonly BookPosition[]> {
    return (await this.#venue.positions()).map(({ symbol, quantity }) => ({ account: ACCOUNT, symbol, quantity }));
  }
}

/** Where it is not known what was written, nothing is known. */
function outcomeOf(error: unknown): 'fail' | 'info' {
  return error instanceof RearmRefusedError && !error.reasons.some((reason) => reason.includes('unknown')) ? 'fail' : 'info';
}
