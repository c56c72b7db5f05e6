/** Opens a bus on Redis; says in one line why it cannot be kept there. */
import { type Clock, systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { isolatedLogger, type Logger } from '../../logger.js';
import { type Random, systemRandom } from '../../random.js';
import { type Bus, BusUnavailableError, BusUnsuitableError } from '../bus.js';
import { dial, type Established } from './connection.js';
import type { RedisContext } from './context.js';
import { CONNECT_TIMEOUT_MS, infoOf, type KnownNodes, NotNowError, RECONNECT_TIMEOUT_MS, RefusedByServerError } from './dialling.js';
import { connectWithIoredis } from './ioredisSeam.js';
import { type DialWay, Link, SILENT_CALLS_MAX } from './link.js';
import { RedisProbe, replicationOf } from './probe.js';
import { Readers } from './readers.js';
import { RedisBus } from './redisBus.js';
import type { Connect } from './seam.js';
import { parseRedisUrl, type RedisTarget } from './target.js';
import { Whereabouts } from './whereabouts.js';

export interface RedisBusOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly random?: Random;
}

/** How long a server that cannot be used at the moment is waited for at the start. */
const OPEN_MS = 2_000;
const RETRY_MS = 100;

/**
 * Opens `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`. Throws ConfigurationError for a URL that cannot
 * hold, {@link BusUnsuitableError} for a server that refuses us or could lose what is kept on it, and
 * {@link BusUnavailableError} for one that cannot be reached within two seconds.
 */
export async function openRedis(url: string, options: RedisBusOptions = {}): Promise<Bus> {
  return assembleRedis(parseRedisUrl(url), options, connectWithIoredis);
}

export async function assembleRedis(target: RedisTarget, options: RedisBusOptions, connect: Connect): Promise<Bus> {
  const { clock = systemClock, random = systemRandom } = options;
  const logger = isolatedLogger(options.logger);
  const known: KnownNodes = { addresses: [] };
  const dialAs = (name: string, connectTimeoutMs: number, way?: DialWay): Promise<Established> =>
    dial({ target, connect, clock, name: `failflat-${name}`, connectTimeoutMs, known, ...way });
  const info = await inspect(target, () => dialAs('start', CONNECT_TIMEOUT_MS), clock);
  const failsOver = target.place.kind !== 'server';
  const replication = replicationOf(info, failsOver);
  if (replication.unguarded !== undefined) logger.warn({ bus: target.url }, replication.unguarded);
  const closing = new AbortController();
  const meet = async () => {
    const { connection, facts } = await dialAs('look', RECONNECT_TIMEOUT_MS);
    connection.drop();
    return facts.master;
  };
  const whereabouts = new Whereabouts(meet, clock, logger);
  const link = (name: string, silentCallsMax: number) =>
    new Link({ name, dial: (as, way) => dialAs(as, RECONNECT_TIMEOUT_MS, way), clock, random, logger, silentCallsMax, whereabouts });
  const links = {
    commands: link('commands', SILENT_CALLS_MAX),
    sureWrites: link('sure-writes', SILENT_CALLS_MAX),
    probes: link('probe', SILENT_CALLS_MAX),
  };
  const readers = new Readers((name) => link(name, 1));
  const base: Omit<RedisContext, 'replicated'> = {
    clock,
    random,
    logger,
    prefix: target.prefix,
    closing: closing.signal,
    commands: links.commands,
    sureWrites: links.sureWrites,
    whereabouts,
  };
  const probe = new RedisProbe(base, links.probes, replication, failsOver);
  const close = async () => {
    closing.abort();
    await Promise.all([...Object.values(links).map((one) => one.close()), readers.close()]);
  };
  const bus = new RedisBus({ url: target.url, context: { ...base, replicated: () => probe.replicated }, readers, probe, close });
  try {
    await Promise.all(Object.values(links).map((one) => one.ready(OPEN_MS)));
    return bus;
  } catch (error) {
    await bus.close();
    throw new BusUnavailableError(`${target.url}: ${messageOf(error)}`, { cause: error });
  }
}

/** What the server says of itself, on a connection that is closed again. */
async function inspect(target: RedisTarget, dialStart: () => Promise<Established>, clock: Clock): Promise<ReadonlyMap<string, string>> {
  const untilMs = clock.monotonicMs() + OPEN_MS;
  for (;;) {
    try {
      const { connection } = await dialStart();
      try {
        return infoOf(await connection.send('INFO', []));
      } finally {
        connection.drop();
      }
    } catch (error) {
      if (error instanceof BusUnsuitableError) throw error;
      if (error instanceof RefusedByServerError) throw new BusUnsuitableError(`${target.url}: ${error.message}`, { cause: error });
      if (!(error instanceof NotNowError) || clock.monotonicMs() >= untilMs)
        throw new BusUnavailableError(`${target.url}: ${messageOf(error)}`, { cause: error });
      await clock.sleep(RETRY_MS);
    }
  }
}
