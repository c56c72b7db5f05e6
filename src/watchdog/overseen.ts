/** Streams that others act on: the watchdog reads them only to put on record what nobody understands. */
import type { Bus, BusRecord } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { CLOSE_ATTEMPTS, decodeCloseAttempt } from '../messages/closeAttempt.js';
import { decodeEscalation, PANIC_ESCALATED } from '../messages/completion.js';
import type { Decoded, Fields } from '../messages/fields.js';
import { decodeHolderReport, LEASE_HOLDER } from '../messages/holder.js';
import { decodePeerBeat, WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';
import { Tail } from './tail.js';
import type { Tempo } from './tempo.js';

const OVERSEEN: ReadonlyMap<string, (fields: Fields) => Decoded<unknown>> = new Map<string, (fields: Fields) => Decoded<unknown>>([
  [WATCHDOG_HEARTBEAT, decodePeerBeat],
  [LEASE_HOLDER, decodeHolderReport],
  [CLOSE_ATTEMPTS, decodeCloseAttempt],
  [PANIC_ESCALATED, decodeEscalation],
]);

export interface OverseenOptions {
  readonly bus: Pick<Bus, 'read' | 'end'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tempo: Tempo;
  readonly malformed: (where: string, problem: string) => void;
}

/** Ends when `signal` aborts. What stood there before is not read: whoever watched then has put it on record. */
export async function oversee({ bus, clock, logger, tempo, malformed }: OverseenOptions, signal: AbortSignal): Promise<void> {
  const { blockMs, retryMs } = tempo;
  const tails = [...OVERSEEN].map(
    ([stream, decode]) =>
      new Tail({
        bus,
        stream,
        from: 'end',
        clock,
        blockMs,
        retryMs,
        // Nobody acts on it: it need not be prompt.
        gatherMs: blockMs,
        wake: () => {},
        take: (record: BusRecord) => {
          const decoded = decode(record.fields);
          if (!decoded.ok) malformed(`${stream} ${record.id}`, decoded.problem);
        },
        takeCorrupt: ({ id, problem }) => malformed(`${stream} ${id}`, problem),
        failed: (name, error) => logger.debug({ stream: name, problem: messageOf(error) }, 'stream not readable'),
      }),
  );
  await Promise.all(tails.map((tail) => tail.follow(signal)));
}
