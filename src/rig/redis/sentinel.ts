/** A replicated Redis on loopback: one master, two replicas, three sentinels. */
import { type Clock, systemClock } from '../../clock.js';
import { RigError } from '../child.js';
import { RedisServer } from './server.js';

export const MASTER_NAME = 'mymaster';

export interface SentinelOptions {
  /** A master that is silent for so long is given up. Default 500 ms. */
  readonly downAfterMs?: number;
  /** Settings of the three data servers. Default: one replica must be in step, within 3 s. */
  readonly config?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

const SETTLED_MS = 20_000;
const GUARDED = { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '3', 'repl-ping-replica-period': '1' };

export class SentinelRedis {
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  readonly #clock: Clock;

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[], clock: Clock) {
    this.servers = servers;
    this.sentinels = sentinels;
    this.#clock = clock;
  }

  static async start(options: SentinelOptions = {}): Promise<SentinelRedis> {
    const { clock = systemClock, config = {} } = options;
    const started: RedisServer[] = [];
    const begin = async (starting: Promise<RedisServer>) => {
      const server = await starting;
      started.push(server);
      return server;
    };
    try {
      const password = config['requirepass'];
      // Whoever becomes master may have to follow one day.
      const settings = { ...GUARDED, ...(password === undefined ? {} : { masterauth: password }), ...config };
      const master = await begin(RedisServer.start({ clock, config: settings }));
      const replicaConfig = { ...settings, replicaof: `127.0.0.1 ${master.port}` };
      const replicas = await Promise.all([0, 1].map(() => begin(RedisServer.start({ clock, config: replicaConfig }))));
      const sentinels = await Promise.all([0, 1, 2].map(() => begin(startSentinel(clock, master.port, options))));
      const redis = new SentinelRedis([master, ...replicas], sentinels, clock);
      await redis.untilWhole();
      return redis;
    } catch (error) {
      await Promise.all(started.map((server) => server.dispose()));
      throw error;
    }
  }

  get url(): string {
    return `redis+sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER_NAME}`;
  }

  /** The master that most sentinels name. */
  async masterPort(): Promise<number> {
    const answers = await Promise.allSettled(
      this.sentinels.map((sentinel) => sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)),
    );
    const ports = answers.flatMap((answer) =>
      answer.status === 'fulfilled' && Array.isArray(answer.value) ? [Number(answer.value[1])] : [],
    );
    const [most] = ports.toSorted((a, b) => ports.filter((port) => port === b).length - ports.filter((port) => port === a).length);
    if (most === undefined) throw new RigError('no sentinel names a master');
    return most;
  }

  async master(): Promise<RedisServer> {
    const port = await this.masterPort();
    const server = this.servers.find((candidate) => candidate.port === port);
    if (server === undefined) throw new RigError(`the sentinels name port ${port}, which is none of ours`);
    return server;
  }

  /** Waits until sentinels name another master than this one. */
  async untilReplaced(master: RedisServer, timeoutMs = SETTLED_MS): Promise<RedisServer> {
    await this.#until(`another master than port ${master.port}`, timeoutMs, async () => (await this.masterPort()) !== master.port);
    return this.master();
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.dispose()));
  }

  /** Waits until the master has two replicas in step, and every sentinel knows of everyone. */
  async untilWhole(): Promise<void> {
    await this.#until('two replicas in step', SETTLED_MS, async () => {
      const master = await this.master();
      const text = String(await master.command('INFO', 'replication'));
      return (text.match(/state=online/g) ?? []).length === 2;
    });
    await this.#until('sentinels that know everyone', SETTLED_MS, async () => {
      const views = await Promise.all(this.sentinels.map((sentinel) => sentinel.command('INFO', 'sentinel')));
      return views.every((view) => /slaves=2,sentinels=3/.test(String(view)));
    });
  }

  async #until(what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + timeoutMs;
    while (!(await holds())) {
      if (this.#clock.monotonicMs() > untilMs) throw new RigError(`${what}: not seen within ${timeoutMs} ms`);
      await this.#clock.sleep(20);
    }
  }
}

function startSentinel(clock: Clock, masterPort: number, { downAfterMs = 500, config = {} }: SentinelOptions): Promise<RedisServer> {
  const password = config['requirepass'];
  return RedisServer.start({
    clock,
    sentinel: [
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${MASTER_NAME} 3000`,
      `sentinel parallel-syncs ${MASTER_NAME} 2`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER_NAME} ${password}`]),
    ],
  });
}
