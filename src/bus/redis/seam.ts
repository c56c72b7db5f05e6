/** What failflat needs of a Redis client: one connection that sends what it is given once, or says that it did not. */
import type { RedisAddress } from './address.js';

export type RedisArgument = string | number;

export interface RedisConnection {
  /**
   * Sends one command now; it is never queued for another connection and never sent again. Rejects with
   * {@link RedisReplyError} for an error reply, and with any other error when the connection ended before the reply.
   */
  send(command: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends it at once: what still waits for a reply is rejected. */
  drop(): void;
}

export interface ConnectOptions {
  readonly tls: boolean;
  readonly connectTimeoutMs: number;
  /** As `CLIENT LIST` shows it. */
  readonly name: string;
  /** Aborts when nobody waits for the connection any more: one that is not made yet is given up. */
  readonly signal: AbortSignal;
}

/** Makes one connection. It is neither authenticated nor checked yet. Rejects with a message for people. */
export type Connect = (address: RedisAddress, options: ConnectOptions) => Promise<RedisConnection>;

/** The server has answered, and the answer is an error: what was asked for has not been done. */
export class RedisReplyError extends Error {
  /** The first word of the reply: `OOM`, `READONLY`, `NOPERM`, … */
  readonly kind: string;

  constructor(message: string) {
    super(message);
    this.name = 'RedisReplyError';
    this.kind = /^-?([A-Z]+)/.exec(message)?.[1] ?? 'ERR';
  }
}
