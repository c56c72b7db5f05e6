/** A directory of the drill's own: made at the start, gone at the end. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeKeys } from '../bus/redis/removeKeys.js';
import { isRedisUrl, withFreshPrefix } from '../bus/redis/target.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { type Random, systemRandom } from '../random.js';
import { RedisServer } from '../rig/redis/server.js';
import type { DrillOptions } from './options.js';

export interface Workspace {
  readonly busUrl: string;
  /** Where the strategy writes down its attempts: on the bus, unless the bus itself is struck. */
  readonly recordUrl: string;
  /** A Redis server of the drill's own. */
  readonly server?: RedisServer;
  /** Where a process that carries a fault inside it looks for the sign to begin. */
  readonly triggerFile: string;
  /** The same for one process alone. */
  triggerFileOf(name: string): string;
  /** Gives that sign, to all or to one alone. */
  trigger(name?: string): Promise<void>;
  /** Takes it back. */
  calm(name?: string): Promise<void>;
  readonly directory: string;
  remove(): Promise<void>;
}

/** What is acknowledged has reached the disk. */
const DURABLE = { appendonly: 'yes', appendfsync: 'always' };

/** With `bus` given, a fresh subdirectory below it, or a fresh key prefix on it; never anything that is there already. */
export async function makeWorkspace(
  { bus: given, redis, kill }: Pick<DrillOptions, 'bus' | 'redis' | 'kill'>,
  random: Random = systemRandom,
): Promise<Workspace> {
  const server = redis ? await RedisServer.start({ config: DURABLE }) : undefined;
  const bus = server?.url ?? given;
  const onRedis = bus !== undefined && isRedisUrl(bus);
  const directory = await makeDirectory(onRedis ? undefined : bus);
  const busUrl = onRedis ? withFreshPrefix(bus, `failflat-drill-${random.id()}`) : `journal:${join(directory, 'bus')}`;
  const triggerFile = join(directory, 'trigger');
  return {
    busUrl,
    recordUrl: kill === 'bus-master' ? `journal:${join(directory, 'record')}` : busUrl,
    ...(server === undefined ? {} : { server }),
    triggerFile,
    triggerFileOf: (name) => `${triggerFile}-${name}`,
    trigger: (name) => writeFile(name === undefined ? triggerFile : `${triggerFile}-${name}`, ''),
    calm: (name) => rm(name === undefined ? triggerFile : `${triggerFile}-${name}`, { force: true }),
    directory,
    remove: async () => {
      await rm(directory, { recursive: true, force: true });
      if (server !== undefined) await server.dispose();
      else if (onRedis) await removeKeys(busUrl);
    },
  };
}

async function makeDirectory(bus: string | undefined): Promise<string> {
  if (bus === undefined) return mkdtemp(join(tmpdir(), 'failflat-drill-'));
  if (!bus.startsWith('journal:') || bus.length === 'journal:'.length) {
    throw new ConfigurationError(
      'bus',
      bus,
      'must be journal:<directory> or a Redis URL: a drill needs a bus that several processes share',
    );
  }
  const parent = bus.slice('journal:'.length);
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    return await mkdtemp(join(parent, 'drill-'));
  } catch (error) {
    throw new ConfigurationError('bus', bus, `must be a directory that can be written: ${messageOf(error)}`, { cause: error });
  }
}
