/** `watchdog:heartbeat` and `exit_worker:heartbeat`: the liveness of those who must watch while anyone trades. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const WATCHDOG_HEARTBEAT = 'watchdog:heartbeat';
export const EXIT_WORKER_HEARTBEAT = 'exit_worker:heartbeat';

/** How often watchdogs and exit workers beat where nothing else is asked for: four beats within the liveness that a lease wants. */
export const PEER_BEAT_MS = 125;
/** What a worker says of a book that it read longer ago than this counts for nothing. */
export const BOOK_AGE_MAX_MS = 10_000;

export interface PeerBeat {
  readonly peerId: string;
  readonly generation: string;
  readonly sequence: number;
  readonly host: string;
  readonly bootId: string;
  readonly pid: number;
  /** The highest epoch of the trading state that this peer has seen. */
  readonly epoch: number;
  /** Exit workers only. */
  readonly worker?: WorkerCondition;
}

/** What an exit worker knows of its own ability to close a book. */
export interface WorkerCondition {
  readonly account: string;
  /** The venue named the account and environment that this worker is configured for. */
  readonly identityMatches: boolean;
  /** Age of the last complete read of positions and orders; absent: none yet. */
  readonly bookAgeMs?: number;
  /** Open positions at that read. */
  readonly positions?: number;
}

export function encodePeerBeat(beat: PeerBeat): Fields {
  return encode({
    peer_id: beat.peerId,
    generation: beat.generation,
    sequence: beat.sequence,
    host: beat.host,
    boot_id: beat.bootId,
    pid: beat.pid,
    epoch: beat.epoch,
    account: beat.worker?.account,
    identity_matches: beat.worker?.identityMatches,
    book_age_ms: beat.worker?.bookAgeMs === undefined ? undefined : Math.round(beat.worker.bookAgeMs),
    positions: beat.worker?.positions,
  });
}

export function decodePeerBeat(fields: Fields): Decoded<PeerBeat> {
  return decodeWith(fields, (reader) => {
    const account = reader.optional('account');
    const bookAgeMs = reader.optionalCount('book_age_ms');
    const positions = reader.optionalCount('positions');
    return {
      peerId: reader.text('peer_id'),
      generation: reader.text('generation'),
      sequence: reader.count('sequence'),
      host: reader.text('host'),
      bootId: reader.text('boot_id'),
      pid: reader.count('pid'),
      epoch: reader.count('epoch'),
      ...(account === undefined
        ? {}
        : {
            worker: {
              account,
              identityMatches: reader.optional('identity_matches') === 'true',
              ...(bookAgeMs === undefined ? {} : { bookAgeMs }),
              ...(positions === undefined ? {} : { positions }),
            },
          }),
    };
  });
}
