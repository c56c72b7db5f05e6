/** One real Redis server on loopback, in a directory of its own: started, signalled and ended by its own process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.js';
import { settleWithin } from '../../deadline.js';
import { messageOf } from '../../errors.js';
import { type ChildEnd, RigError } from '../child.js';
import { freePort } from '../freePort.js';
import { redisBinary } from './binary.js';
import { guardOrphan } from './orphanGuard.js';
import { askRedis, RedisError, type Reply } from './resp.js';

export interface RedisServerOptions {
  /** Lines of redis.conf. Default: nothing is kept, no replica is waited for. */
  readonly config?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** What its environment has beside that of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Starts a sentinel with these lines, in a file which it rewrites. */
  readonly sentinel?: readonly string[];
  /** A node of a Cluster listens on a second port, 10,000 above the first. */
  readonly cluster?: boolean;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  save: '',
  appendonly: 'no',
  'repl-diskless-sync-delay': '0',
  'enable-debug-command': 'local',
};
const SENTINEL_FILE = 'sentinel.conf';
const READY_MS = 10_000;
const STARTS = 5;
/** Where a node of a Cluster listens for the others, above its own port. */
const CLUSTER_BUS_OFFSET = 10_000;
const SIGNAL_MS = 5_000;
const LAST_WORDS_MS = 1_000;
const KEPT_LOG_CHARS = 4_000;
const PORT_TAKEN = 'Address already in use';

/** One life of the server's process. */
interface Run {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
  end: ChildEnd | undefined;
  /** Resolves when also its output has ended. */
  readonly silent: Promise<void>;
  log: string;
}

export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #options: RedisServerOptions;
  #run: Run | undefined;

  private constructor(port: number, directory: string, options: RedisServerOptions) {
    this.port = port;
    this.#directory = directory;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let start = 1; ; start += 1) {
      const server = new RedisServer(
        await freePort(options.cluster ? CLUSTER_BUS_OFFSET : undefined),
        await mkdtemp(join(tmpdir(), 'failflat-redis-')),
        options,
      );
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.dispose();
        // Somebody else may have taken the port between the look and the start.
        if (start >= STARTS || server.#run?.log.includes(PORT_TAKEN) !== true) throw error;
      }
    }
  }

  /** Of the process that runs, or of the last one. */
  get pid(): number {
    if (this.#run === undefined) throw new RigError(`redis-server on port ${this.port} was never started`);
    return this.#run.pid;
  }

  /** How its process ended; undefined while it runs. */
  get end(): ChildEnd | undefined {
    return this.#run?.end;
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

  /** Throws where it has ended: its process id may be another's by now. */
  signal(signal: NodeJS.Signals): void {
    this.#running().process.kill(signal);
  }

  /** Resolves when it stands still, as a host that hangs: its connections stay, and new ones are still accepted for it. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP');
    await this.#untilStopped(true);
  }

  /** Resolves when it goes on where it was. */
  async thaw(): Promise<void> {
    this.signal('SIGCONT');
    await this.#untilStopped(false);
  }

  /** Ends it at once; its data stay where they are. */
  async kill(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.process.kill('SIGKILL');
    await run.ended;
  }

  /** Starts it again on the same port. */
  async restart({ keepData = true }: { readonly keepData?: boolean } = {}): Promise<void> {
    await this.kill();
    if (!keepData)
      for (const name of await readdir(this.#directory)) await rm(join(this.#directory, name), { recursive: true, force: true });
    await this.#launch();
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #running(): Run {
    if (this.#run === undefined || this.#run.end !== undefined) throw new RigError(`redis-server on port ${this.port} does not run`);
    return this.#run;
  }

  async #launch(): Promise<void> {
    const binary = await redisBinary();
    await this.#writeSentinelFile();
    const child = spawn(binary.path, this.#arguments(), {
      cwd: this.#directory,
      env: { ...binary.env, ...this.#options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Out of the group that a terminal interrupts: who started it decides when it ends, and the guard when nobody can.
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new RigError(`redis-server cannot be started: ${messageOf(error)}`, { cause: error })));
    });
    if (child.pid === undefined) throw new RigError('redis-server has no process id');
    const guard = guardOrphan(child.pid, this.#directory);
    const silent = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const ended = new Promise<ChildEnd>((resolve) => {
      child.once('exit', (code, signal) => {
        guard.release();
        run.end = { code, signal, atMs: this.#clock.monotonicMs() };
        resolve(run.end);
      });
    });
    const run: Run = { process: child, pid: child.pid, ended, end: undefined, silent, log: '' };
    this.#run = run;
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => {
        run.log = (run.log + text).slice(-KEPT_LOG_CHARS);
      });
    }
    await this.#untilReady(run);
  }

  /** What a sentinel has learned, it wrote into this file itself: it stays over a restart. */
  async #writeSentinelFile(): Promise<void> {
    const { sentinel } = this.#options;
    const file = join(this.#directory, SENTINEL_FILE);
    if (sentinel !== undefined && !existsSync(file)) await writeFile(file, `${sentinel.join('\n')}\n`);
  }

  #arguments(): string[] {
    const { config = {}, sentinel } = this.#options;
    const settings = { ...(sentinel === undefined ? DEFAULTS : {}), ...config };
    const lines = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...(value === '' ? [''] : value.split(' '))]);
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory];
    return sentinel === undefined ? [...place, ...lines] : [join(this.#directory, SENTINEL_FILE), '--sentinel', ...place, ...lines];
  }

  async #untilReady(run: Run): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + READY_MS;
    let problem = '';
    while (run.end === undefined && this.#clock.monotonicMs() <= untilMs) {
      try {
        if (await this.#answers(run)) return;
        problem = `another process than ${run.pid} answers on its port`;
      } catch (error) {
        problem = messageOf(error);
      }
      await this.#clock.sleep(5);
    }
    if (run.end !== undefined) {
      // Its last words come after its end.
      await settleWithin(this.#clock, run.silent, LAST_WORDS_MS);
      problem = `it ended (code ${run.end.code}, signal ${run.end.signal})`;
    }
    await this.kill();
    throw new RigError(`redis-server on port ${this.port} is not ready: ${problem}\n${run.log}`);
  }

  /** Asks who answers as well: on a port that was taken meanwhile, it is a server of somebody else. */
  async #answers(run: Run): Promise<boolean> {
    try {
      const server = String(await this.command('INFO', 'server'));
      if (!server.includes(`process_id:${run.pid}\r\n`)) return false;
      await this.command('PING');
      return true;
    } catch (error) {
      // A refusal is an answer, unless it is still loading what it kept; who refuses does not say who it is.
      if (error instanceof RedisError && !error.message.startsWith('LOADING')) return run.log.includes('Ready to accept connections');
      throw error;
    }
  }

  async #untilStopped(stopped: boolean): Promise<void> {
    const { pid } = this.#running();
    const untilMs = this.#clock.monotonicMs() + SIGNAL_MS;
    for (;;) {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      // Where the system does not tell, the signal has to do.
      if (stat === undefined || /\) [Tt] /.test(stat) === stopped) return;
      if (this.#clock.monotonicMs() > untilMs) {
        throw new RigError(`redis-server ${pid} did not ${stopped ? 'stand still' : 'go on'} within ${SIGNAL_MS} ms`);
      }
      await this.#clock.sleep(1);
    }
  }
}
