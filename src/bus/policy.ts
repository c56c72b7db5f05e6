/** What holds for streams on every adapter: sizes, waits, which streams must outlive a crash of the host, and which are trimmed by age. */
import { CLOSE_ATTEMPTS } from '../messages/closeAttempt.js';
import { PANIC_COMPLETED } from '../messages/completion.js';
import { EXIT_BRAIN_HEARTBEAT } from '../messages/heartbeat.js';
import { PANIC_CLOSE } from '../messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';

/** A record, with everything that surrounds it, is smaller than this. */
export const MAX_RECORD_BYTES = 64 * 1024;
export const MAX_BLOCK_MS = 30_000;
export const DEFAULT_APPEND_TIMEOUT_MS = 500;
export const DEFAULT_READ_LIMIT = 1_000;
/** How long a heartbeat can be read, at the least. */
export const HEARTBEAT_RETENTION_MS = 60_000;

const HEARTBEAT_STREAMS: ReadonlySet<string> = new Set([EXIT_BRAIN_HEARTBEAT, WATCHDOG_HEARTBEAT, EXIT_WORKER_HEARTBEAT]);

/**
 * Heartbeats are worth something only while fresh: they are trimmed by age (never by count) and need not survive the host.
 * Every other stream is durable and never trimmed, also one that nobody listed: forgetting to list it must not make it lossy.
 */
export function isHeartbeatStream(stream: string): boolean {
  return HEARTBEAT_STREAMS.has(stream);
}

const SURE_STREAMS: ReadonlySet<string> = new Set([PANIC_CLOSE, PANIC_COMPLETED, CLOSE_ATTEMPTS]);

/**
 * Where copies are kept, an append to these is `committed` only when one of them has it. What is said all the time, and what
 * only tells of what happened, does not wait.
 */
export function isReplicatedSurely(stream: string): boolean {
  return SURE_STREAMS.has(stream);
}

/** The wait that is asked for, within what adapters allow. */
export function boundedBlockMs(blockMs: number | undefined): number {
  return Math.min(Math.max(blockMs ?? 0, 0), MAX_BLOCK_MS);
}
