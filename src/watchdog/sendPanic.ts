/** Sends one panic until the bus has it: a failed or unanswered append is tried again at once, under the same key. */
import { type AppendOutcome, type Bus, isCommitted } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { encodePanicClose, PANIC_CLOSE, type PanicClose } from '../messages/panicClose.js';

export interface PanicSending {
  readonly bus: Pick<Bus, 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The append key: the same for every attempt of this one send. */
  readonly idempotencyKey: string;
  /** The sender, as key of the record. */
  readonly key: string;
  /** False ends the attempts: completed, superseded, or this watchdog is closing. */
  readonly stillNeeded: () => boolean;
}

export type SendPanic = (panic: PanicClose, sending: PanicSending) => Promise<AppendOutcome>;

const FIRST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 1_000;
const APPEND_TIMEOUT_MS = 500;

/** `refused` as `duplicate` means that somebody has sent it already: joined, not failed. */
export const sendPanic: SendPanic = async (panic, sending) => {
  const { clock, logger, stillNeeded } = sending;
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
    const outcome = await appendOnce(panic, sending);
    if (isCommitted(outcome)) return outcome;
    if (outcome.outcome === 'refused' && (outcome.reason === 'duplicate' || outcome.reason === 'closed')) return outcome;
    logger.error({ eventId: panic.eventId, outcome }, 'panic_close not written yet');
    if (!stillNeeded()) return outcome;
    await clock.sleep(waitMs);
    if (!stillNeeded()) return outcome;
  }
};

async function appendOnce(panic: PanicClose, { bus, idempotencyKey, key }: PanicSending): Promise<AppendOutcome> {
  try {
    return await bus.append(PANIC_CLOSE, encodePanicClose(panic), { key, idempotencyKey, timeoutMs: APPEND_TIMEOUT_MS });
  } catch (error) {
    // Appends do not throw by contract; a bus that breaks it must not end the attempts.
    return { outcome: 'unknown', detail: messageOf(error) };
  }
}
