/** Decides which incidents are open: asked for, and not reported complete. */
import { type Bus, type BusRecord, type CorruptRecord, type Cursor, type Fields, FROM_START } from '../bus/bus.js';
import {
  answeredPanics,
  answerKey,
  type Completion,
  decodeCompletion,
  decodeEscalation,
  type Escalation,
  PANIC_COMPLETED,
  PANIC_ESCALATED,
} from '../messages/completion.js';
import type { Decoded } from '../messages/fields.js';
import { decodeWrittenPanic, incidentId, PANIC_CLOSE, type PanicClose, type WrittenPanic, withEpoch } from '../messages/panicClose.js';
import type { TradingState } from '../messages/tradingState.js';

export interface ExitRecord {
  readonly panics: readonly WrittenPanic[];
  readonly completions: readonly Completion[];
  readonly escalations: readonly Escalation[];
  /** Records of these streams that could not be understood. */
  readonly unreadable: readonly string[];
}

export interface OpenIncident {
  readonly incident: string;
  readonly account: string;
  readonly epoch: number;
  readonly reason: string;
  readonly by: string;
  readonly sinceWallMs: number;
}

interface Decoder<T> {
  readonly stream: string;
  readonly decode: (fields: Fields, record: BusRecord) => Decoded<T>;
}

export interface Everything<T> {
  readonly values: T[];
  /** Where something stands that cannot be understood, and why, in words. */
  readonly unreadable: string[];
  /** Those among it that are not even records. */
  readonly corrupt: readonly CorruptRecord[];
}

/** Everything on a stream, decoded. Throws {@link BusUnavailableError} without contact. */
export async function readAll<T>(bus: Pick<Bus, 'read'>, { stream, decode }: Decoder<T>): Promise<Everything<T>> {
  const values: T[] = [];
  const spoilt: CorruptRecord[] = [];
  const unreadable: string[] = [];
  let cursor: Cursor = FROM_START;
  for (let more = true; more; ) {
    const result = await bus.read(stream, cursor);
    spoilt.push(...result.corrupt);
    for (const corrupt of result.corrupt) unreadable.push(`${stream} ${corrupt.id}: ${corrupt.problem}`);
    for (const record of result.records) {
      const decoded = decode(record.fields, record);
      if (decoded.ok) values.push(decoded.value);
      else unreadable.push(`${stream} ${record.id}: ${decoded.problem}`);
    }
    cursor = result.cursor;
    more = result.more;
  }
  return { values, unreadable, corrupt: spoilt };
}

export async function readExitRecord(bus: Pick<Bus, 'read'>): Promise<ExitRecord> {
  const panics = await readAll(bus, {
    stream: PANIC_CLOSE,
    decode: (fields, { appendedWallMs }) => decodeWrittenPanic(fields, appendedWallMs),
  });
  const completions = await readAll(bus, { stream: PANIC_COMPLETED, decode: decodeCompletion });
  const escalations = await readAll(bus, { stream: PANIC_ESCALATED, decode: decodeEscalation });
  return {
    panics: panics.values,
    completions: completions.values,
    escalations: escalations.values,
    unreadable: [...panics.unreadable, ...completions.unreadable, ...escalations.unreadable],
  };
}

/** When the newest panic was written; undefined: there is none. */
export function newestPanic({ panics }: Pick<ExitRecord, 'panics'>): number | undefined {
  let newest: number | undefined;
  for (const { appendedWallMs } of panics) newest = Math.max(newest ?? appendedWallMs, appendedWallMs);
  return newest;
}

function incidentsOf(panic: PanicClose, state: TradingState): readonly string[] {
  if (panic.scope !== undefined) return [panic.scope];
  // Without a scope it means every account that was registered when its epoch was armed; `*` stands for "nobody knows which".
  return panic.epoch === state.epoch && state.accounts.length > 0 ? state.accounts : ['*'];
}

/**
 * The incidents of this epoch (or a later one) with a panic that no completion answers: one that came after it is carried out
 * anew. Panics of earlier epochs were named by the re-arm that ended them, or came too late and are never carried out.
 */
export function openIncidents(record: Pick<ExitRecord, 'panics' | 'completions'>, state: TradingState): readonly OpenIncident[] {
  const completed = new Set(record.completions.map((completion) => completion.incident));
  const answered = new Set(record.completions.flatMap(answeredPanics));
  const answeredBySomebody = new Set(record.completions.flatMap(({ eventId, answers = [eventId] }) => answers));
  const open = new Map<string, OpenIncident>();
  for (const written of record.panics) {
    const panic = withEpoch(written, state);
    if (panic.epoch < state.epoch) continue;
    for (const account of incidentsOf(panic, state)) {
      const incident = incidentId(account, panic.epoch);
      const done = answered.has(answerKey(incident, panic.eventId)) || (account === '*' && answeredBySomebody.has(panic.eventId));
      if (done || open.has(incident)) continue;
      open.set(incident, { incident, account, epoch: panic.epoch, reason: panic.reason, by: panic.by, sinceWallMs: panic.wallMs });
    }
  }
  for (const halt of state.halts) {
    if (halt.kind !== 'exit' || halt.incident === undefined || completed.has(halt.incident) || open.has(halt.incident)) continue;
    const { incident, reason, by, sinceWallMs } = halt;
    open.set(incident, { incident, account: incident.split('@')[0] ?? incident, epoch: state.epoch, reason, by, sinceWallMs });
  }
  return [...open.values()];
}
