/** One real Redis server on loopback, in a directory of its own: started, signalled and ended by its own process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Clock, systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { RigError } from '../child.js';
import { redisBinary } from './binary.js';
import { askRedis, RedisError, type Reply } from './resp.js';

export interface RedisServerOptions {
  /** Lines of redis.conf. Default: nothing is kept, no replica is waited for. */
  readonly config?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Starts a sentinel with this file, in a directory of its own, which it rewrites. */
  readonly sentinel?: string;
  /** A node of a Cluster listens on a second port, 10,000 above the first. */
  readonly cluster?: boolean;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  save: '',
  appendonly: 'no',
  'repl-diskless-sync-delay': '0',
  'enable-debug-command': 'local',
};
const READY_MS = 10_000;
const STARTS = 5;
const CLUSTER_PORT_MAX = 55_000;
const PORT_LOOKS = 200;

/**
 * Ends the server when the reader of its pipe is gone: nobody else would end it behind a rig that was killed. Says the
 * server's process id, since signals are for the server and not for its keeper.
 */
const KEEPER = '"$@" </dev/null >&2 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null';

export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #options: RedisServerOptions;
  #keeper: ChildProcess | undefined;
  #pid = 0;
  #log = '';

  private constructor(port: number, directory: string, options: RedisServerOptions) {
    this.port = port;
    this.#directory = directory;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let start = 1; ; start += 1) {
      const server = new RedisServer(
        await freePort(options.cluster ? CLUSTER_PORT_MAX : undefined),
        await mkdtemp(join(tmpdir(), 'failflat-redis-')),
        options,
      );
      try {
        await server.#run();
        return server;
      } catch (error) {
        await server.dispose();
        // Somebody else may have taken the port between the look and the start.
        if (start >= STARTS || !server.#log.includes('Address already in use')) throw error;
      }
    }
  }

  get pid(): number {
    return this.#pid;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get directory(): string {
    return this.#directory;
  }

  /** What the server itself says, on a connection of the rig's own. */
  command(...args: readonly (string | number)[]): Promise<Reply> {
    return this.commands([args]);
  }

  commands(list: readonly (readonly (string | number)[])[]): Promise<Reply> {
    const password = this.#options.config?.['requirepass'];
    return askRedis(this.#clock, this.port, password === undefined ? list : [['AUTH', password], ...list]);
  }

  /** One line of `INFO`. */
  async info(name: string): Promise<string | undefined> {
    const text = String(await this.command('INFO'));
    return text
      .split('\r\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Ends it at once; its data stay where they are. */
  async kill(): Promise<void> {
    const keeper = this.#keeper;
    if (keeper === undefined) return;
    this.#keeper = undefined;
    const ended = new Promise<void>((resolve) => keeper.once('close', () => resolve()));
    try {
      this.signal('SIGKILL');
    } catch {
      // It has ended by itself.
    }
    keeper.stdin?.end();
    await ended;
  }

  /** Starts it again on the same port. */
  async restart({ keepData = true }: { readonly keepData?: boolean } = {}): Promise<void> {
    await this.kill();
    if (!keepData)
      for (const name of await readdir(this.#directory)) await rm(join(this.#directory, name), { recursive: true, force: true });
    await this.#run();
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
    if (this.#options.sentinel !== undefined) await rm(dirname(this.#options.sentinel), { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const binary = await redisBinary();
    const keeper = spawn('sh', ['-c', KEEPER, 'sh', binary.path, ...this.#arguments()], {
      cwd: this.#directory,
      env: binary.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#keeper = keeper;
    this.#log = '';
    keeper.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-4_000);
    });
    this.#pid = Number(await new Promise<string>((resolve) => createInterface({ input: keeper.stdout }).once('line', resolve)));
    await this.#untilReady();
  }

  #arguments(): string[] {
    const { config = {}, sentinel } = this.#options;
    const settings = { ...(sentinel === undefined ? DEFAULTS : {}), ...config };
    const lines = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...(value === '' ? [''] : value.split(' '))]);
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory];
    return sentinel === undefined ? [...place, ...lines] : [sentinel, '--sentinel', ...place, ...lines];
  }

  async #untilReady(): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + READY_MS;
    for (;;) {
      try {
        await this.command('PING');
        return;
      } catch (error) {
        // A refusal is an answer, unless it is still loading what it kept.
        if (error instanceof RedisError && !error.message.startsWith('LOADING')) return;
        const dead = this.#log.includes('Address already in use') || this.#log.includes('FATAL CONFIG');
        if (dead || this.#clock.monotonicMs() > untilMs) throw new RigError(`redis-server is not ready: ${messageOf(error)}\n${this.#log}`);
      }
      await this.#clock.sleep(5);
    }
  }
}

/** A port of loopback that is free now. */
async function freePort(max = 65_535): Promise<number> {
  for (let look = 0; look < PORT_LOOKS; look += 1) {
    const port = await somePort();
    if (port <= max) return port;
  }
  throw new RigError(`loopback has no free port up to ${max}`);
}

async function somePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new RigError('loopback has no free port');
  return address.port;
}
