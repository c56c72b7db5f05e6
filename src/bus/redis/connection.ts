/** Makes a connection that may be used: to the master, logged in, of a server that holds what is asked of it. */
import type { Clock } from '../../clock.js';
import { settleWithin } from '../../deadline.js';
import { FailflatError, messageOf } from '../../errors.js';
import { nameOf } from './address.js';
import { connectWithin, type Dialling, infoOf, login, NotNowError, RefusedByServerError } from './dialling.js';
import { locateMaster } from './locate.js';
import { type RedisConnection, RedisReplyError } from './seam.js';
import type { ClockSample } from './serverClock.js';
import { checkServer } from './suitability.js';
import type { RedisTarget } from './target.js';
import type { MetMaster, NamedMaster } from './whereabouts.js';

/** What was learnt of the server when the connection was made. */
export interface ServerFacts {
  readonly master: MetMaster;
  readonly version: string;
  /** The id of its data set: it changes with every failover and every restart. */
  readonly replicationId: string;
  readonly time: ClockSample;
}

export interface Established {
  readonly connection: RedisConnection;
  readonly facts: ServerFacts;
}

const LOGIN_REFUSALS = ['WRONGPASS', 'NOAUTH', 'NOPERM'];

/** Finds the master, connects and checks it. Throws {@link NotNowError} or {@link RefusedByServerError}. */
export async function dial(dialling: Dialling): Promise<Established> {
  const { target, clock, name, connectTimeoutMs, signal } = dialling;
  const master = await locateMaster(dialling);
  dialling.located?.(master);
  const shown = nameOf(master.address);
  const connection = await connectWithin(dialling, master.address);
  const hangUp = () => connection.drop();
  signal?.addEventListener('abort', hangUp, { once: true });
  try {
    if (signal?.aborted) throw new NotNowError(`${shown}: is not wanted any more`);
    const facts = await settleWithin(clock, introduce(connection, master, target, clock), connectTimeoutMs);
    if (!facts.settled) throw new NotNowError(`${shown}: ${silence(dialling)}`);
    return { connection, facts: facts.value };
  } catch (error) {
    connection.drop();
    if (error instanceof FailflatError) throw error;
    if (error instanceof RedisReplyError && LOGIN_REFUSALS.includes(error.kind)) {
      throw new RefusedByServerError(`${shown} (${name}): ${error.message}`, { cause: error });
    }
    throw new NotNowError(`${shown}: ${messageOf(error)}`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', hangUp);
  }
}

function silence({ target, connectTimeoutMs }: Dialling): string {
  const other = target.tls ? 'or it does not speak TLS (redis://)' : 'or it speaks TLS only (rediss://)';
  return `no answer within ${connectTimeoutMs} ms: the server stands still, ${other}`;
}

async function introduce(connection: RedisConnection, master: NamedMaster, target: RedisTarget, clock: Clock): Promise<ServerFacts> {
  await login(connection, target.credentials);
  if (target.db !== 0) await connection.send('SELECT', [target.db]);
  const info = infoOf(await connection.send('INFO', []));
  checkServer(info, target);
  const shown = nameOf(master.address);
  if (info.get('loading') === '1') throw new NotNowError(`${shown}: the server is still loading its data`);
  if (info.get('role') !== 'master') throw new NotNowError(`${shown}: is not a master now (role ${info.get('role')})`);
  const sentMs = clock.monotonicMs();
  const time = await connection.send('TIME', []);
  const [seconds, microseconds] = Array.isArray(time) ? time.map(Number) : [];
  if (seconds === undefined || microseconds === undefined) throw new NotNowError(`${shown}: does not tell the time`);
  return {
    // A server that has no such id is known by its address alone.
    master: { ...master, runId: info.get('run_id') ?? shown },
    version: info.get('redis_version') ?? 'unknown',
    replicationId: info.get('master_replid') ?? 'unknown',
    time: { sentMs, serverMs: seconds * 1_000 + microseconds / 1_000, receivedMs: clock.monotonicMs() },
  };
}
