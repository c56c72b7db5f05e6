/** The original system as its documents tell it: what it writes with XADD and reads with XREADGROUP, by a plain Redis client. */
import { Redis } from 'ioredis';

export type Flat = Readonly<Record<string, string>>;

const pairs = (fields: Flat): string[] => Object.entries(fields).flat();

function recordOf(flat: readonly string[]): Flat {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return fields;
}

export interface OriginalRecord {
  readonly id: string;
  readonly fields: Flat;
}

export const HEARTBEATS = 'exit_brain:heartbeat';
export const PANICS = 'system:panic_close';
export const COMPLETIONS = 'system:panic_close:completed';
export const STATE = 'system:state:trading';

export class OriginalClient {
  readonly redis: Redis;
  readonly #prefix: string;

  constructor(port: number, prefix = '') {
    this.redis = new Redis({ host: '127.0.0.1', port });
    this.#prefix = prefix;
  }

  /** As its heartbeat mixin writes: at most about a thousand are kept. */
  async beat(fields: Flat): Promise<string> {
    return (await this.redis.xadd(`${this.#prefix}${HEARTBEATS}`, 'MAXLEN', '~', 1_000, '*', ...pairs(fields))) ?? '';
  }

  /** Never trimmed. */
  async panic(fields: Flat): Promise<string> {
    return (await this.redis.xadd(`${this.#prefix}${PANICS}`, '*', ...pairs(fields))) ?? '';
  }

  /** As its documented consumers make their groups. */
  async createGroup(stream: string, group: string, from: '0' | '$'): Promise<void> {
    await this.redis.xgroup('CREATE', `${this.#prefix}${stream}`, group, from, 'MKSTREAM');
  }

  /** The next record of a consumer group, acknowledged; undefined: there is none now. */
  async take(stream: string, group: string, consumer = 'eew_1'): Promise<OriginalRecord | undefined> {
    const key = `${this.#prefix}${stream}`;
    const reply: unknown = await this.redis.xreadgroup('GROUP', group, consumer, 'COUNT', 1, 'STREAMS', key, '>');
    const [entry] = entriesOf(reply);
    if (entry !== undefined) await this.redis.xack(key, group, entry.id);
    return entry;
  }

  async all(stream: string): Promise<readonly OriginalRecord[]> {
    const entries = await this.redis.xrange(`${this.#prefix}${stream}`, '-', '+');
    return entries.map(([id, flat]) => ({ id, fields: recordOf(flat) }));
  }

  state(): Promise<Flat> {
    return this.redis.hgetall(`${this.#prefix}${STATE}`);
  }

  /** How the original resumes, and how people do it by hand. */
  async clearHalt(how: 'HSET' | 'DEL'): Promise<void> {
    const key = `${this.#prefix}${STATE}`;
    if (how === 'DEL') await this.redis.del(key);
    else await this.redis.hset(key, { halted: 'false', cleared_by: 'operator', cleared_at: String(Date.now()) });
  }

  /** Delivered to a group, and not acknowledged. */
  async pending(group: string): Promise<number> {
    const [count] = await this.redis.xpending(`${this.#prefix}${PANICS}`, group);
    return Number(count);
  }

  close(): void {
    this.redis.disconnect();
  }
}

function entriesOf(reply: unknown): readonly OriginalRecord[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((stream: unknown): OriginalRecord[] => {
    const entries: unknown = Array.isArray(stream) ? stream[1] : undefined;
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown): OriginalRecord[] => {
      if (!Array.isArray(entry) || !Array.isArray(entry[1])) return [];
      return [{ id: String(entry[0]), fields: recordOf(entry[1].map(String)) }];
    });
  });
}
