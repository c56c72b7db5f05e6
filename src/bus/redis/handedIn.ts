/** A bus on a client that the user has configured: its options must hold what a safety path needs. */
import { ConfigurationError } from '../../errors.js';
import type { Bus } from '../bus.js';
import { type Client, established } from './ioredisSeam.js';
import { NO_NAT } from './natMap.js';
import { assembleRedis, type RedisBusOptions } from './openRedis.js';
import type { Connect } from './seam.js';

/** The part of an ioredis client's options that decides what happens to a command when something breaks. */
export interface HandedInOptions {
  readonly enableOfflineQueue?: boolean | undefined;
  readonly autoResendUnfulfilledCommands?: boolean | undefined;
  readonly maxRetriesPerRequest?: number | null | undefined;
  readonly commandTimeout?: number | undefined;
  readonly keyPrefix?: string | undefined;
  readonly enableAutoPipelining?: boolean | undefined;
  readonly sentinels?: unknown;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** An ioredis client, or anything shaped like one. */
export interface HandedInClient {
  readonly options: HandedInOptions;
  readonly isCluster?: boolean | undefined;
  duplicate(override: object): Client;
}

export interface HandedInBusOptions extends RedisBusOptions {
  readonly client: HandedInClient;
  /** Stands before every key. Default: nothing. */
  readonly prefix?: string;
}

const COMMAND_TIMEOUT_MAX_MS = 2_000;

/**
 * A bus on connections like those of `client`, which itself is left alone. Throws ConfigurationError for a client whose
 * options are unsafe (measured behaviour of ioredis 6), naming the option, its value and what it must be.
 */
export async function createRedisBus({ client, prefix = '', ...options }: HandedInBusOptions): Promise<Bus> {
  checkClient(client);
  const { host = '127.0.0.1', port = 6_379 } = client.options;
  const connect: Connect = ({ host: to, port: at }, { connectTimeoutMs, name, signal }) => {
    const ours = { host: to, port: at, connectionName: name, connectTimeout: connectTimeoutMs };
    // Every call of ours has a deadline of its own, and a read that waits must outlast that of the client.
    const still = {
      commandTimeout: undefined,
      // Either would end a read that waits, or pass its silence off as an answer.
      blockingTimeout: undefined,
      socketTimeout: undefined,
      lazyConnect: true,
      protocol: 2,
      enableReadyCheck: false,
      retryStrategy: () => null,
      reconnectOnError: null,
    };
    return established(client.duplicate({ ...ours, ...still }), signal);
  };
  const target = {
    url: `redis://${host}:${port}`,
    place: { kind: 'server', address: { host, port } },
    tls: false,
    credentials: {},
    sentinelCredentials: {},
    db: 0,
    prefix,
    natMap: NO_NAT,
  } as const;
  return assembleRedis(target, options, connect);
}

/** Throws ConfigurationError naming the first option that cannot hold. */
export function checkClient({ options, isCluster }: HandedInClient): void {
  const refuse = (field: string, value: unknown, bound: string): never => {
    throw new ConfigurationError(`client.${field}`, value, bound);
  };
  if (isCluster === true)
    refuse('isCluster', true, 'must not be a Cluster client, which sends a write again after a failover: open its redis+cluster:// URL');
  if (options.sentinels !== undefined && options.sentinels !== null)
    refuse('sentinels', 'given', 'must not be a Sentinel client: open its redis+sentinel:// URL');
  if (options.enableOfflineQueue !== false)
    refuse('enableOfflineQueue', options.enableOfflineQueue, 'must be false: queued heartbeats would land late and look fresh');
  if (options.autoResendUnfulfilledCommands !== false)
    refuse(
      'autoResendUnfulfilledCommands',
      options.autoResendUnfulfilledCommands,
      'must be false: a write whose answer was lost would be sent twice',
    );
  if (options.maxRetriesPerRequest !== 0)
    refuse('maxRetriesPerRequest', options.maxRetriesPerRequest, 'must be 0: a command that failed must not be tried again unseen');
  const { commandTimeout } = options;
  if (commandTimeout === undefined || !(commandTimeout > 0 && commandTimeout <= COMMAND_TIMEOUT_MAX_MS))
    refuse('commandTimeout', commandTimeout, `must be between 1 and ${COMMAND_TIMEOUT_MAX_MS} ms: a frozen server would never be noticed`);
  if ((options.keyPrefix ?? '') !== '') refuse('keyPrefix', options.keyPrefix, 'must be empty: give the prefix to the bus');
  if (options.enableAutoPipelining === true)
    refuse('enableAutoPipelining', true, 'must be false: one lost answer would make several writes unknown');
}
