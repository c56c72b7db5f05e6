/** Starts the drill's processes: the shipped commands, and the drill's own strategy. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createVenueClient, type VenueClient } from '../brokers/paper/index.js';
import type { Bus } from '../bus/bus.js';
import { openBus } from '../bus/openBus.js';
import { type Clock, systemClock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { packageFile } from '../packageFile.js';
import { Child, type ChildOptions, RigError } from '../rig/child.js';
import { BUS_NAME, NameView } from '../rig/nameView.js';
import { RedisView } from '../rig/redis/view.js';
import { RigGuard } from '../rig/rigGuard.js';
import type { ProxyMode } from '../rig/tcpProxy.js';
import { AlertReceiver } from '../rig/webhook.js';
import type { ScaledTimings } from '../roles/scale.js';
import type { ActorOrder, ActorRole, Variant } from './actors/order.js';
import type { StrategyConfig } from './actors/strategy.js';
import { CONCURRENCY } from './judge/evidence.js';
import type { DrillOptions, Partition } from './options.js';
import type { Workspace } from './workspace.js';

export const ACCOUNT = 'drill';
const READY_MS = 15_000;
const SHARES = 10;
/** Of all strategies together, where nothing else is asked for. */
export const ORDERS_PER_S = 30;

const COMMAND = packageFile('dist/cli/main.js');
const ACTOR = packageFile('dist/drill/actors/main.js');

export interface CastOptions {
  readonly drill: DrillOptions;
  readonly timings: ScaledTimings;
  readonly workspace: Workspace;
  readonly barsFile: string;
  /** Which role is played by a broken variant, or carries the fault inside it. */
  readonly variants: ReadonlyMap<ActorRole, Variant>;
  /** The same for single processes, by the names that the rig gives them. Each of them has a trigger of its own. */
  readonly named?: ReadonlyMap<string, Variant>;
  /** Who of the partitioned role stands behind the proxy, by name. Default: all of it. */
  readonly cutOff?: readonly string[];
  readonly onLog: (name: string, line: string) => void;
  /** How the partitioned process is cut off. Default: every byte waits. */
  readonly cutMode?: ProxyMode;
  /** The partitioned process has names of its own, and knows the bus by a name alone. */
  readonly ownNames?: boolean;
}

/** How a process of the cast is started. */
interface Part extends Pick<ChildOptions, 'name' | 'script' | 'args' | 'nodeFlags' | 'launcher'> {
  readonly role?: ActorRole;
}

export interface Supervised {
  readonly supervisor: Child;
  /** Of its services. */
  readonly names: readonly string[];
}

/** It asks each of its services to end first. */
const SUPERVISOR_ENDS_MS = 5_000;

export class Cast {
  readonly #options: CastOptions;
  readonly #children: Child[] = [];
  readonly #clock: Clock;
  /** Of the partitioned process. */
  readonly #view: RedisView | undefined;
  /** Of the partitioned process. */
  readonly #names: NameView | undefined;
  readonly #counts = new Map<string, number>();
  #supervisor: Child | undefined;
  readonly #guard: RigGuard;
  /** The venue, as a process. */
  readonly venueProcess: Child;

  private constructor(
    options: CastOptions,
    clock: Clock,
    readonly bus: Bus,
    /** Where the strategy writes down its attempts. */
    readonly record: Bus,
    readonly alerts: AlertReceiver,
    readonly venue: VenueClient,
    readonly venueUrl: string,
    venueChild: Child,
    view: RedisView | undefined,
    names: NameView | undefined,
    guard: RigGuard,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#children.push(venueChild);
    this.venueProcess = venueChild;
    this.#guard = guard;
    this.#view = view;
    this.#names = names;
  }

  /** Starts the venue and opens the bus; the rest of the cast follows by name. */
  static async open(options: CastOptions, clock: Clock = systemClock): Promise<Cast> {
    const args = ['venue', '--port', '0', '--bars', options.barsFile, '--account', ACCOUNT, '--json'];
    const guard = new RigGuard();
    guard.directory(options.workspace.directory);
    const child = await Child.start({ name: 'venue', script: COMMAND, args, clock, onLog: (line) => options.onLog('venue', line) });
    guarded(child, guard);
    try {
      const { url } = await child.ready(READY_MS);
      if (typeof url !== 'string') throw new RigError('the venue did not say where it listens');
      const venue = createVenueClient(url, { clock });
      await venue.setSwitches({ latencyMs: options.drill.venueLatencyMs, readLatencyMs: options.drill.venueLatencyMs });
      const { busUrl, recordUrl } = options.workspace;
      const bus = await openBus(busUrl, { clock });
      return new Cast(
        options,
        clock,
        bus,
        recordUrl === busUrl ? bus : await openBus(recordUrl, { clock }),
        await AlertReceiver.start(clock),
        venue,
        url,
        child,
        await viewFor(options, clock),
        options.ownNames === true ? await NameView.in(options.workspace.directory) : undefined,
        guard,
      );
    } catch (error) {
      await child.kill();
      guard.release();
      throw error;
    }
  }

  watchdog(): Promise<Child> {
    return this.#start(this.#watchdog());
  }

  worker(): Promise<Child> {
    return this.#start(this.#worker());
  }

  /** Each brain is a new generation of the one service that is watched. */
  brain(): Promise<Child> {
    return this.#start(this.#brain());
  }

  /** A brain, a watchdog and a worker under `failflat run`, which starts each of them again. */
  async supervised(): Promise<Supervised> {
    const parts = [this.#brain(), this.#watchdog(), this.#worker()];
    const file = join(this.#options.workspace.directory, 'services.json');
    await writeFile(file, JSON.stringify(parts.map(serviceOf)));
    const { broker, account, environment } = this.#atVenue();
    const at = ['--bus', this.#options.workspace.busUrl, '--broker', broker, '--account', account, '--environment', environment];
    const supervisor = await this.#start({ name: 'supervisor', script: COMMAND, args: ['run', ...at, '--services', file, '--json'] });
    this.#supervisor = supervisor;
    return { supervisor, names: parts.map(({ name }) => name) };
  }

  strategy({
    name = 'strategy',
    ordersPerS = ORDERS_PER_S,
  }: {
    readonly name?: string;
    readonly ordersPerS?: number;
  } = {}): Promise<Child> {
    const { drill, timings, workspace } = this.#options;
    const config: StrategyConfig = {
      bus: this.#busOf('strategy', name),
      record: workspace.recordUrl,
      venue: this.venueUrl,
      account: ACCOUNT,
      symbols: Array.from({ length: drill.positions }, (_, index) => (index === 0 ? 'AAPL' : `AAPL-${index + 1}`)),
      quantity: SHARES,
      ordersPerS,
      restingEvery: 10,
      brokerTimeoutMs: timings.brokerTimeoutMs,
      lease: { ...timings.lease, drainPollMs: 10 },
    };
    return this.#start(this.#actor('strategy', name, config));
  }

  /** Ends everyone that still lives, by process id and at once: what they did is taken down already, and nothing of theirs is kept. */
  async close(): Promise<void> {
    // What it has started must end with it, and it alone knows of that.
    if (this.#supervisor !== undefined) {
      this.#supervisor.signal('SIGTERM');
      await settleWithin(this.#clock, this.#supervisor.ended, SUPERVISOR_ENDS_MS);
    }
    await Promise.all(this.#children.map((child) => child.kill()));
    await this.bus.close();
    if (this.record !== this.bus) await this.record.close();
    await this.venue.close();
    await this.alerts.close();
    await this.#view?.close();
    this.#guard.release();
  }

  /** Everyone who was started, ended ones as well. */
  processes(): readonly Child[] {
    return this.#children;
  }

  /** On which the partitioned process reaches the bus: one for each of its servers. */
  proxyPorts(): readonly number[] {
    return this.#view?.ports ?? [];
  }

  /** Holds back all that the partitioned process and the bus say to each other. */
  cut(isCut: boolean): void {
    if (this.#view === undefined) throw new RigError('nobody stands behind a proxy in this drill');
    this.#view.set(isCut ? (this.#options.cutMode ?? { kind: 'stall' }) : { kind: 'pass' });
  }

  /** The names that the partitioned process sees. */
  names(): NameView {
    if (this.#names === undefined) throw new RigError('nobody has names of its own in this drill');
    return this.#names;
  }

  /** Resets every connection of the partitioned process to the bus; new ones are let through at once. */
  resetConnections(): void {
    if (this.#view === undefined) throw new RigError('nobody stands behind a proxy in this drill');
    this.#view.set({ kind: 'reset' });
    this.#view.set({ kind: 'pass' });
  }

  /** The bus as the partitioned process sees it, for one more of its kind. */
  get cutOffUrl(): string {
    if (this.#view === undefined) throw new RigError('nobody stands behind a proxy in this drill');
    return this.#view.url;
  }

  /** To be told of each process that one of these has started: it ends with the rig as well. */
  adopt(pid: number): void {
    this.#guard.started(pid);
  }

  /** Connections of the partitioned process to the bus that stand now. */
  get connections(): number {
    return this.#view?.connections ?? 0;
  }

  #common(who: Partition | 'brain') {
    return { bus: this.#busOf(who), scale: this.#options.drill.scale };
  }

  #busOf(who: Partition | 'brain', name?: string): string {
    const { drill, workspace, cutOff } = this.#options;
    const isCutOff = cutOff === undefined || (name !== undefined && cutOff.includes(name));
    if (this.#view === undefined || drill.partition !== who || !isCutOff) return workspace.busUrl;
    return this.#names === undefined ? this.#view.url : this.#view.url.replace('127.0.0.1', BUS_NAME);
  }

  #atVenue() {
    return { broker: `paper:${this.venueUrl}`, account: ACCOUNT, environment: 'paper' };
  }

  #name(role: string): string {
    const number = (this.#counts.get(role) ?? 0) + 1;
    this.#counts.set(role, number);
    return `${role}-${number}`;
  }

  #watchdog(): Part {
    const config = { ...this.#common('watchdog'), id: this.#name('watchdog'), alert: { webhook: this.alerts.url } };
    return this.#part('watchdog', config.id, config, ['--id', config.id, '--alert-webhook', this.alerts.url]);
  }

  #worker(): Part {
    const id = this.#name('exit-worker');
    const config = { ...this.#common('worker'), ...this.#atVenue(), id, concurrency: CONCURRENCY, alert: { webhook: this.alerts.url } };
    const more = ['--id', id, '--concurrency', String(CONCURRENCY), '--alert-webhook', this.alerts.url];
    return this.#part('exit-worker', id, config, [...venueArgs(config), ...more]);
  }

  #brain(): Part {
    const config = { ...this.#common('brain'), ...this.#atVenue(), serviceId: 'exit-brain' };
    return this.#part('exit-brain', this.#name('exit-brain'), config, [...venueArgs(config), '--service', config.serviceId]);
  }

  /** The shipped command, unless this part is played by a variant. */
  #part(role: Exclude<ActorRole, 'strategy'>, name: string, config: { readonly bus: string }, args: readonly string[]): Part {
    const { drill, variants, named } = this.#options;
    if (variants.has(role) || named?.has(name) === true) return this.#actor(role, name, config);
    const words = [role, '--bus', config.bus, '--scale', String(drill.scale), ...args, '--json'];
    return { name, role, script: COMMAND, args: words };
  }

  #actor(role: ActorRole, name: string, config: object): Part {
    const { workspace, drill, variants, named } = this.#options;
    const own = named?.get(name);
    const triggerFile = own === undefined ? workspace.triggerFile : workspace.triggerFileOf(name);
    const order: ActorOrder = { ...variants.get(role), ...own, triggerFile, scale: drill.scale };
    // With a heap of its usual size it would take the host's memory before its own was full.
    const nodeFlags = order.fault === 'memory-full' ? ['--max-old-space-size=64'] : [];
    const launcher = this.#names !== undefined && drill.partition === role ? this.#names.launcher : [];
    return { name, role, script: ACTOR, args: [JSON.stringify({ role, order, config })], nodeFlags, launcher };
  }

  async #start(part: Part): Promise<Child> {
    const { role: _role, ...process } = part;
    const child = await Child.start({ ...process, clock: this.#clock, onLog: (line) => this.#options.onLog(part.name, line) });
    this.#children.push(child);
    guarded(child, this.#guard);
    await child.ready(READY_MS);
    return child;
  }
}

function serviceOf({ name, role, script, args, nodeFlags = [] }: Part): object {
  return { name, kind: role, command: [process.execPath, ...nodeFlags, script, ...args] };
}

/** It ends with the rig, however that ends. */
function guarded(child: Child, guard: RigGuard): void {
  guard.started(child.pid);
  void child.ended.then(() => guard.ended(child.pid));
}

function venueArgs(config: { readonly broker: string; readonly account: string; readonly environment: string }): string[] {
  return ['--broker', config.broker, '--account', config.account, '--environment', config.environment];
}

async function viewFor({ drill, workspace }: CastOptions, clock: Clock): Promise<RedisView | undefined> {
  return drill.partition === undefined ? undefined : RedisView.of(workspace.busUrl, clock);
}
