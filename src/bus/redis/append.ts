/** Appends one record, once: nothing that comes too late lands, and what cannot be known is called unknown. */
import { type AppendOptions, type AppendOutcome, type Fields } from '../bus.js';
import { DEFAULT_APPEND_TIMEOUT_MS, HEARTBEAT_RETENTION_MS, isHeartbeatStream, isReplicatedSurely, MAX_RECORD_BYTES } from '../policy.js';
import type { ServerFacts } from './connection.js';
import { keysOf, onServersClock, REFUSED_AS_CLOSED, type RedisContext, unreplicated, write, writeFailure } from './context.js';
import { APPEND } from './scripts.js';
import { encodeEntry } from './wire.js';

export async function appendRecord(context: RedisContext, stream: string, fields: Fields, options: AppendOptions): Promise<AppendOutcome> {
  const { clock, prefix, closing } = context;
  if (closing.aborted) return REFUSED_AS_CLOSED;
  const nowMs = clock.monotonicMs();
  const { key, idempotencyKey, notAfterMs = Infinity, timeoutMs = DEFAULT_APPEND_TIMEOUT_MS } = options;
  if (nowMs > notAfterMs) return { outcome: 'refused', reason: 'deadline_passed', detail: 'notAfterMs has passed' };
  const entry = encodeEntry(fields, key);
  if (entry === undefined)
    return { outcome: 'refused', reason: 'too_large', detail: `a record must be smaller than ${MAX_RECORD_BYTES} bytes` };
  const sure = isReplicatedSurely(stream);
  const link = sure ? context.sureWrites : context.commands;
  // Once the caller has been told `unknown`, nothing that is still on its way may land as if it were fresh.
  const { facts } = link;
  const deadline = onServersClock(link, Math.min(notAfterMs, nowMs + timeoutMs));
  if (deadline === undefined || facts === undefined) return { outcome: 'refused', reason: 'unavailable', detail: link.problem };
  const keys = keysOf(prefix);
  const retention = isHeartbeatStream(stream) ? HEARTBEAT_RETENTION_MS : '';
  try {
    const verdict = await write(
      context,
      link,
      APPEND,
      [keys.stream(stream), keys.latest(stream), keys.once(stream)],
      [deadline, key ?? '', idempotencyKey ?? '', retention, sure ? '1' : '', ...entry],
      timeoutMs,
    );
    return await outcomeOf(context, verdict, { writtenOn: sure ? facts : undefined, idempotencyKey, waitMs: timeoutMs });
  } catch (error) {
    return closing.aborted ? { outcome: 'unknown', detail: 'the bus was closed before the answer' } : writeFailure(error);
  }
}

interface Writing {
  /** The connection that a replica must confirm on; undefined: none needs to. */
  readonly writtenOn: ServerFacts | undefined;
  readonly idempotencyKey: string | undefined;
  readonly waitMs: number;
}

async function outcomeOf(
  context: RedisContext,
  [verdict, id]: readonly [string, string],
  { writtenOn, idempotencyKey, waitMs }: Writing,
): Promise<AppendOutcome> {
  if (verdict === 'committed') {
    const detail = writtenOn === undefined ? undefined : await unreplicated(context, writtenOn, waitMs);
    return detail === undefined ? { outcome: 'committed', id } : { outcome: 'committed_unreplicated', id, detail };
  }
  if (verdict === 'duplicate') return { outcome: 'refused', reason: 'duplicate', detail: `${idempotencyKey} was appended before` };
  if (verdict === 'deadline_passed') return { outcome: 'refused', reason: 'deadline_passed', detail: 'the server had it too late' };
  if (verdict === 'not_noted')
    return { outcome: 'unknown', detail: `it was written, and not noted as the newest of its key, or as written once: ${id}` };
  return { outcome: 'unknown', detail: `the server answered ${verdict}` };
}
