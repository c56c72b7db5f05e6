/** Follows a panic on the bus: each step as it is recorded, until every account in its scope has a verdict. */
import type { Bus, Cursor, Fields } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { AUDIT, decodeAuditEntry } from '../messages/audit.js';
import {
  type Completion,
  decodeCompletion,
  decodeEscalation,
  type Escalation,
  PANIC_COMPLETED,
  PANIC_ESCALATED,
} from '../messages/completion.js';
import type { Decoded } from '../messages/fields.js';

/** Where the streams ended before the panic was sent: an older verdict is about an older book. */
export interface Starts {
  readonly audit: Cursor;
  readonly completed: Cursor;
  readonly escalated: Cursor;
}

export async function findStarts(bus: Bus): Promise<Starts> {
  return { audit: await bus.end(AUDIT), completed: await bus.end(PANIC_COMPLETED), escalated: await bus.end(PANIC_ESCALATED) };
}

export interface Following {
  readonly epoch: number;
  /** The accounts that must be done. Empty: it is not known which, so the first verdict ends the wait. */
  readonly accounts: readonly string[];
  readonly clock: Clock;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly step: (line: string) => void;
}

export interface PanicProgress {
  readonly done: boolean;
  readonly completions: readonly Completion[];
  readonly escalations: readonly Escalation[];
}

const POLL_MS = 50;

class Tail<T> {
  readonly #bus: Bus;
  readonly #stream: string;
  readonly #decode: (fields: Fields) => Decoded<T>;
  #cursor: Cursor;

  constructor(bus: Bus, stream: string, cursor: Cursor, decode: (fields: Fields) => Decoded<T>) {
    this.#bus = bus;
    this.#stream = stream;
    this.#cursor = cursor;
    this.#decode = decode;
  }

  async next(): Promise<readonly T[]> {
    const { records, cursor } = await this.#bus.read(this.#stream, this.#cursor);
    this.#cursor = cursor;
    return records.flatMap((record) => {
      const decoded = this.#decode(record.fields);
      return decoded.ok ? [decoded.value] : [];
    });
  }
}

/** Throws BusUnavailableError where the bus cannot be read any more: the panic stands all the same. */
export async function followPanic(bus: Bus, starts: Starts, following: Following): Promise<PanicProgress> {
  const { epoch, accounts, clock, waitMs, signal, step } = following;
  const steps = new Tail(bus, AUDIT, starts.audit, decodeAuditEntry);
  const completed = new Tail(bus, PANIC_COMPLETED, starts.completed, decodeCompletion);
  const escalated = new Tail(bus, PANIC_ESCALATED, starts.escalated, decodeEscalation);
  const completions: Completion[] = [];
  const escalations: Escalation[] = [];
  const mine = ({ epoch: reported, account }: Completion | Escalation) =>
    reported === epoch && (accounts.length === 0 || accounts.includes(account));
  const isDone = () => {
    const done = new Set(completions.map(({ account }) => account));
    return accounts.length === 0 ? done.size > 0 : accounts.every((account) => done.has(account));
  };
  const untilMs = clock.monotonicMs() + waitMs;
  for (;;) {
    for (const { event, cause, incident } of await steps.next())
      if (incident?.endsWith(`@${epoch}`)) step(`${incident} ${event}: ${cause}`);
    completions.push(...(await completed.next()).filter(mine));
    escalations.push(...(await escalated.next()).filter(mine));
    if (isDone() || signal.aborted || clock.monotonicMs() >= untilMs) return { done: isDone(), completions, escalations };
    await clock.sleep(Math.min(POLL_MS, Math.max(0, untilMs - clock.monotonicMs())), signal);
  }
}
