/** A latch in Redis: a hash that changes by compare-and-set, and a stream of one entry that wakes those who watch it. */
import {
  BusDoubtError,
  BusUnavailableError,
  type CompareAndSetOutcome,
  type Fields,
  type Latch,
  type LatchValue,
  type ReadOptions,
} from '../bus.js';
import { boundedBlockMs, DEFAULT_APPEND_TIMEOUT_MS, MAX_RECORD_BYTES } from '../policy.js';
import type { ServerFacts } from './connection.js';
import {
  ask,
  CALL_TIMEOUT_MS,
  keysOf,
  onServersClock,
  REFUSED_AS_CLOSED,
  type RedisContext,
  unreplicated,
  write,
  writeFailure,
} from './context.js';
import type { Readers } from './readers.js';
import { COMPARE_AND_SET } from './scripts.js';
import { RedisReplyError } from './seam.js';
import { decodeLatch, latchSum } from './wire.js';

export class RedisLatch implements Latch {
  readonly #context: RedisContext;
  readonly #readers: Readers;
  readonly #name: string;
  readonly #key: string;
  readonly #changes: string;

  constructor(context: RedisContext, readers: Readers, name: string) {
    this.#context = context;
    this.#readers = readers;
    this.#name = name;
    const keys = keysOf(context.prefix);
    this.#key = keys.latch(name);
    this.#changes = keys.changes(name);
  }

  async get(): Promise<LatchValue> {
    const { clock, commands } = this.#context;
    const sentMs = clock.monotonicMs();
    const stored = ask(this.#context, () => commands.call('HGETALL', [this.#key], CALL_TIMEOUT_MS));
    const reading = decodeLatch(await stored.catch((error: unknown) => this.#unlessDoubtful(error)));
    if (reading.kind === 'doubt') throw new BusDoubtError(`latch ${this.#name}: ${reading.problem}`);
    return { version: reading.version, fields: reading.fields, sentMs };
  }

  /** The server answers, but what stands there is no latch: another program has written it. */
  #unlessDoubtful(error: unknown): never {
    const cause = error instanceof BusUnavailableError ? error.cause : undefined;
    if (!(cause instanceof RedisReplyError && cause.kind === 'WRONGTYPE')) throw error;
    throw new BusDoubtError(`latch ${this.#name}: holds no fields: another program has written it`, { cause });
  }

  async compareAndSet(expectedVersion: number, fields: Fields): Promise<CompareAndSetOutcome> {
    const { clock, closing, sureWrites } = this.#context;
    if (closing.aborted) return REFUSED_AS_CLOSED;
    if (Buffer.byteLength(JSON.stringify(fields)) > MAX_RECORD_BYTES - 512)
      return { outcome: 'refused', reason: 'too_large', detail: `a value must be smaller than ${MAX_RECORD_BYTES} bytes` };
    const timeoutMs = DEFAULT_APPEND_TIMEOUT_MS;
    const { facts } = sureWrites;
    const deadline = onServersClock(sureWrites, clock.monotonicMs() + timeoutMs);
    if (deadline === undefined || facts === undefined) return { outcome: 'refused', reason: 'unavailable', detail: sureWrites.problem };
    const sum = latchSum(expectedVersion + 1, fields);
    try {
      const verdict = await write(
        this.#context,
        sureWrites,
        COMPARE_AND_SET,
        [this.#key, this.#changes],
        [deadline, expectedVersion, sum, ...Object.entries(fields).flat()],
        timeoutMs,
      );
      return await this.#outcomeOf(verdict, expectedVersion, facts);
    } catch (error) {
      return closing.aborted ? { outcome: 'unknown', detail: 'the bus was closed before the answer' } : writeFailure(error);
    }
  }

  async watch(knownVersion: number, options: Pick<ReadOptions, 'blockMs' | 'signal'>): Promise<LatchValue> {
    const value = await this.get();
    const blockMs = Math.round(boundedBlockMs(options.blockMs));
    if (value.version !== knownVersion || blockMs === 0) return value;
    if (options.signal?.aborted) return value;
    const wait = ['XREAD', ['COUNT', 1, 'BLOCK', blockMs, 'STREAMS', this.#changes, `${Math.max(0, knownVersion)}-0`]] as const;
    await ask(this.#context, () => this.#readers.waiting(async () => wait, blockMs, options.signal));
    return this.get();
  }

  async #outcomeOf(
    [verdict, version]: readonly [string, string],
    expectedVersion: number,
    facts: ServerFacts,
  ): Promise<CompareAndSetOutcome> {
    if (verdict === 'committed') {
      const detail = await unreplicated(this.#context, facts, DEFAULT_APPEND_TIMEOUT_MS);
      return { outcome: 'committed', version: Number(version), ...(detail === undefined ? {} : { unreplicated: detail }) };
    }
    if (verdict === 'conflict') return { outcome: 'conflict' };
    if (verdict === 'deadline_passed') return { outcome: 'refused', reason: 'deadline_passed', detail: 'the server had it too late' };
    if (verdict === 'doubt')
      return { outcome: 'refused', reason: 'unavailable', detail: `what stands in version ${expectedVersion} cannot be understood` };
    return { outcome: 'unknown', detail: `the server answered ${verdict}` };
  }
}
