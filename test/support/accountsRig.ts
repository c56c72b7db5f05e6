/** Accounts on venues of their own under one real Redis bus, each with an exit worker and a brain: the shipped commands as processes. */
import { createPaperBroker, createVenueClient, type VenueClient, type VenueEvent } from '../../src/brokers/paper/index.js';
import { type Bus, type BusRecord, type Fields, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import type { Decoded } from '../../src/messages/fields.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { bookAt, ordersFrom, type Request } from '../../src/rig/books.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { AlertReceiver } from '../../src/rig/webhook.js';
import { type Ended, type Running, Workspace } from '../cli/cli.js';
import { eventually } from './eventually.js';

/** Fast enough for a test, slow enough for a busy machine of two cores. */
export const SCALE = 2;

export interface Desk {
  readonly account: string;
  readonly venue: VenueClient;
  readonly broker: string;
  readonly url: string;
  worker: Running;
}

export interface GroupState {
  /** Delivered and not acknowledged. */
  readonly pending: number;
  readonly lastDelivered: string;
}

export class AccountsRig {
  readonly desks = new Map<string, Desk>();
  readonly #workspace = new Workspace();

  private constructor(
    readonly redis: RedisServer,
    readonly bus: Bus,
    readonly alerts: AlertReceiver,
  ) {}

  /** One venue for each of `venues`, with the accounts that it names; each account with a worker and a brain; one watchdog. */
  static async start(venues: readonly (readonly string[])[]): Promise<AccountsRig> {
    const redis = await RedisServer.start();
    const rig = new AccountsRig(redis, await openBus(redis.url), await AlertReceiver.start());
    try {
      // One after the other: nine processes that start together on two cores keep each other from reaching the bus in time.
      for (const accounts of venues) await rig.#venue(accounts);
      await rig.#watchdog();
      return rig;
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  desk(account: string): Desk {
    const desk = this.desks.get(account);
    if (desk === undefined) throw new Error(`no account ${account} in this rig`);
    return desk;
  }

  command(...args: readonly string[]): Promise<Ended> {
    return this.#workspace.run([...args, '--bus', this.redis.url]);
  }

  /** Arms every account, all of them flat: each venue then knows of its own only what is seeded later. */
  async arm(): Promise<void> {
    const accounts = [...this.desks.keys()].flatMap((account) => ['--account', account]);
    const armed = await this.command('rearm', '--by', 'operator', '--reason', 'start', '--scale', String(SCALE), ...accounts);
    if (armed.code !== 0) throw new Error(`not armed: ${armed.stdout}${armed.stderr}`);
  }

  /** Positions, and a resting order far from the market that somebody else has sent. */
  async open(account: string, positions: Readonly<Record<string, number>>): Promise<void> {
    const { venue, url } = this.desk(account);
    const seeded = Object.entries(positions).map(([symbol, quantity]) => ({ symbol, quantity }));
    await venue.seedPositions({ account, positions: seeded });
    const broker = createPaperBroker({ url, account, source: 'strategy' });
    try {
      const order = { symbol: 'REST', positionSide: 'net', side: 'buy', type: 'limit', quantity: 1, reduceOnly: false } as const;
      await broker.submit({ ...order, clientOrderId: `resting-${account}`, limitPrice: 1 });
    } finally {
      await broker.close();
    }
  }

  async startWorker(account: string, id = `worker-${account}`): Promise<Running> {
    const { broker } = this.desk(account);
    const args = ['exit-worker', '--broker', broker, '--account', account, '--id', id, '--alert-webhook', this.alerts.url];
    return this.#role(...args);
  }

  async events(account: string): Promise<readonly VenueEvent[]> {
    const { venue } = this.desk(account);
    return (await venue.evidence()).events;
  }

  /** What the venue's own books hold: open positions and orders of the account. */
  async left(account: string): Promise<readonly string[]> {
    const { positions, openOrders } = bookAt(await this.events(account), account);
    return [...[...positions].map(([symbol, quantity]) => `${symbol} ${quantity}`), ...[...openOrders].map(() => 'an order')];
  }

  /** Orders and cancels that arrived for the account, but for those of the strategy. */
  async requests(account: string): Promise<readonly string[]> {
    const events = await this.events(account);
    return events
      .filter((event): event is Request => event.kind === 'request' && event.account === account && event.source !== 'strategy')
      .map(({ source, what, symbol }) => `${source} ${what} ${symbol}`);
  }

  /** Orders for one account that came from anybody else than its own worker and the strategy. */
  async strangers(account: string): Promise<number> {
    return ordersFrom(await this.events(account), account, (source) => source !== `worker-${account}` && source !== 'strategy').length;
  }

  async records(stream: string): Promise<readonly BusRecord[]> {
    return (await this.bus.read(stream, FROM_START, { limit: 10_000 })).records;
  }

  async decoded<T>(stream: string, decode: (fields: Fields) => Decoded<T>): Promise<readonly T[]> {
    return (await this.records(stream)).map(({ fields }) => {
      const result = decode(fields);
      if (!result.ok) throw new Error(`${stream}: ${result.problem}`);
      return result.value;
    });
  }

  /** The consumer groups of the panics, as the server itself tells them. */
  async groups(): Promise<ReadonlyMap<string, GroupState>> {
    const reply = await this.redis.command('XINFO', 'GROUPS', PANIC_CLOSE);
    const groups = new Map<string, GroupState>();
    for (const group of Array.isArray(reply) ? reply : []) {
      const flat = (Array.isArray(group) ? group : []).map(String);
      const field = (name: string) => flat[flat.indexOf(name) + 1] ?? '';
      groups.set(field('name'), { pending: Number(field('pending')), lastDelivered: field('last-delivered-id') });
    }
    return groups;
  }

  /** Waits until each group has had every panic and has acknowledged it: whoever was not meant has had its chance to err. */
  async settled(...groups: readonly string[]): Promise<void> {
    await eventually(
      async () => {
        const newest = (await this.records(PANIC_CLOSE)).at(-1)?.id;
        const known = await this.groups();
        return groups.every((name) => known.get(name)?.pending === 0 && known.get(name)?.lastDelivered === newest);
      },
      { timeoutMs: 10_000, everyMs: 20 },
    );
  }

  async close(): Promise<void> {
    await this.#workspace.remove();
    for (const venue of new Set([...this.desks.values()].map((desk) => desk.venue))) await venue.close();
    await this.bus.close();
    await this.alerts.close();
    await this.redis.dispose();
  }

  async #venue(accounts: readonly string[]): Promise<void> {
    const { ready } = await this.#workspace.role(['venue', ...accounts.flatMap((account) => ['--account', account])]);
    const url = ready.url ?? '';
    const venue = createVenueClient(url);
    for (const account of accounts) await this.#desk(account, venue, url);
  }

  async #desk(account: string, venue: VenueClient, url: string): Promise<void> {
    const broker = `paper:${url}`;
    const at = ['--broker', broker, '--account', account];
    const worker = await this.#role('exit-worker', ...at, '--id', `worker-${account}`, '--alert-webhook', this.alerts.url);
    await this.#role('exit-brain', ...at, '--service', `brain-${account}`);
    this.desks.set(account, { account, venue, broker, url, worker });
  }

  #watchdog(): Promise<Running> {
    return this.#role('watchdog', '--id', 'watchdog-1', '--alert-webhook', this.alerts.url);
  }

  async #role(...args: readonly string[]): Promise<Running> {
    const { process } = await this.#workspace.role([...args, '--bus', this.redis.url, '--scale', String(SCALE)]);
    return process;
  }
}
