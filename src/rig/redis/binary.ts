/** Finds a Redis server to start: the one that is named, the one that is installed, or one that is fetched for this checkout. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, systemCodeOf } from '../../errors.js';
import { packageFile } from '../../packageFile.js';
import { environmentVariable, environmentWith } from '../../process/environment.js';
import { RigError } from '../child.js';

/** A mirror that does not answer must not hold up a start for ever. */
const FETCH_STEP_MS = 120_000;

const run = promisify(execFile);

export interface RedisBinary {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

const INSTALLED = ['redis-server', 'valkey-server'];
const CACHE = packageFile('var/redis');

/** What a system says of a directory that is there, and not empty. */
const TAKEN = ['ENOTEMPTY', 'EEXIST'];

let found: Promise<RedisBinary> | undefined;

/** Throws RigError in one line where none can be had. */
export function redisBinary(): Promise<RedisBinary> {
  found ??= find();
  found.catch(() => {
    found = undefined;
  });
  return found;
}

/** The path of one that is here already; nothing is fetched. Throws RigError where one is named that does not run. */
export async function installedRedis(): Promise<string | undefined> {
  return (await here())?.path;
}

async function here(): Promise<RedisBinary | undefined> {
  const named = environmentVariable('REDIS_SERVER');
  if (named !== undefined) {
    if (await answers({ path: named, env: environmentWith({}) })) return { path: named, env: environmentWith({}) };
    throw new RigError(`REDIS_SERVER = ${JSON.stringify(named)}: must be a redis-server that can be started`);
  }
  for (const path of INSTALLED) {
    const binary = { path, env: environmentWith({}) };
    if (await answers(binary)) return binary;
  }
  return unpacked(CACHE);
}

async function find(): Promise<RedisBinary> {
  const installed = await here();
  if (installed !== undefined) return installed;
  try {
    await fetchPackages();
  } catch (error) {
    throw new RigError(`no redis-server: set REDIS_SERVER, or install redis-server (fetching one failed: ${messageOf(error)})`);
  }
  const fetched = await unpacked(CACHE);
  if (fetched === undefined)
    throw new RigError('no redis-server: set REDIS_SERVER, or install redis-server (the fetched one does not run)');
  return fetched;
}

async function answers({ path, env }: RedisBinary): Promise<boolean> {
  try {
    await run(path, ['--version'], { env });
    return true;
  } catch {
    // Not there, or not for this machine: the next one is tried.
    return false;
  }
}

async function unpacked(directory: string): Promise<RedisBinary | undefined> {
  const libraries = join(directory, 'usr', 'lib');
  const folders = await readdir(libraries).catch(() => []);
  const binary = {
    path: join(directory, 'redis-server'),
    env: environmentWith({ LD_LIBRARY_PATH: folders.map((name) => join(libraries, name)).join(':') }),
  };
  return (await answers(binary)) ? binary : undefined;
}

/** Needs no root: Debian's packages are looked up, fetched and unpacked in a directory of our own. */
async function fetchPackages(): Promise<void> {
  await mkdir(join(CACHE, '..'), { recursive: true });
  const making = await mkdtemp(join(CACHE, '..', 'redis-'));
  try {
    for (const folder of ['lists/partial', 'cache/archives/partial']) await mkdir(join(making, folder), { recursive: true });
    const own = [`Dir::State=${making}`, `Dir::State::lists=${making}/lists`, `Dir::Cache=${making}/cache`, 'APT::Sandbox::User=root'];
    const options = own.flatMap((option) => ['-o', option]);
    await step(making, 'apt-get', [...options, 'update']);
    const stdout = await step(making, 'apt-cache', [...options, 'depends', '--important', 'redis-tools']);
    const needed = [...stdout.matchAll(/^ +Depends: ([a-z0-9.+-]+)$/gm)].map((match) => match[1] ?? '');
    // The system's own libraries are newer than any copy, and belong together.
    const packages = ['redis-tools', ...needed.filter((name) => /^lib(jemalloc|lzf|lua|hiredis|atomic)/.test(name))];
    await step(making, 'apt-get', [...options, 'download', ...packages]);
    for (const name of await readdir(making)) if (name.endsWith('.deb')) await step(making, 'dpkg-deb', ['-x', name, '.']);
    // One program under several names: it looks at the one that it was started by.
    for (const name of ['redis-server', 'redis-sentinel']) await symlink('usr/bin/redis-check-rdb', join(making, name));
    // Lists and archives are many times as large as what they are for.
    for (const name of await readdir(making)) {
      if (!['usr', 'redis-server', 'redis-sentinel'].includes(name)) await rm(join(making, name), { recursive: true, force: true });
    }
    await settle(making);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Gives what the command printed. Throws with the last line of its complaint: the first one only repeats the command. */
async function step(directory: string, command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { cwd: directory, timeout: FETCH_STEP_MS })).stdout;
  } catch (error) {
    throw new RigError(messageOf(error).trimEnd().split('\n').at(-1) ?? command, { cause: error });
  }
}

/** Several processes may fetch at once: the first one that is done is as good as any. */
async function settle(making: string): Promise<void> {
  try {
    await rename(making, CACHE);
  } catch (error) {
    if (!TAKEN.includes(systemCodeOf(error) ?? '')) throw error;
    if ((await unpacked(CACHE)) !== undefined) return;
    // One that does not run, of another system perhaps, would be in the way for ever.
    const replaced = `${making}-replaced`;
    await rename(CACHE, replaced);
    await rename(making, CACHE);
    await rm(replaced, { recursive: true, force: true });
  }
}
