/** Starts the drill's processes: the shipped commands, and the drill's own strategy. */
import { createVenueClient, type VenueClient } from '../brokers/paper/index.js';
import type { Bus } from '../bus/bus.js';
import { openBus } from '../bus/openBus.js';
import { type Clock, systemClock } from '../clock.js';
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
const ORDERS_PER_S = 30;

const COMMAND = packageFile('dist/cli/main.js');
const ACTOR = packageFile('dist/drill/actors/main.js');

export interface CastOptions {
  readonly drill: DrillOptions;
  readonly timings: ScaledTimings;
  readonly workspace: Workspace;
  readonly barsFile: string;
  /** Which role is played by a broken variant, or carries the fault inside it. */
  readonly variants: ReadonlyMap<ActorRole, Variant>;
  readonly onLog: (name: string, line: string) => void;
  /** How the partitioned process is cut off. Default: every byte waits. */
  readonly cutMode?: ProxyMode;
  /** The partitioned process has names of its own, and knows the bus by a name alone. */
  readonly ownNames?: boolean;
}

export class Cast {
  readonly #options: CastOptions;
  readonly #children: Child[] = [];
  readonly #clock: Clock;
  /** Of the partitioned process. */
  readonly #view: RedisView | undefined;
  /** Of the partitioned process. */
  readonly #names: NameView | undefined;
  readonly #counts = new Map<string, number>();
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
    const config = { ...this.#common('watchdog'), id: this.#name('watchdog'), alert: { webhook: this.alerts.url } };
    return this.#play('watchdog', config.id, config, ['--id', config.id, '--alert-webhook', this.alerts.url]);
  }

  worker(): Promise<Child> {
    const id = this.#name('exit-worker');
    const config = { ...this.#common('worker'), ...this.#atVenue(), id, concurrency: CONCURRENCY, alert: { webhook: this.alerts.url } };
    const more = ['--id', id, '--concurrency', String(CONCURRENCY), '--alert-webhook', this.alerts.url];
    return this.#play('exit-worker', id, config, [...venueArgs(config), ...more]);
  }

  /** Each brain is a new generation of the one service that is watched. */
  brain(): Promise<Child> {
    const config = { ...this.#common('brain'), ...this.#atVenue(), serviceId: 'exit-brain' };
    return this.#play('exit-brain', this.#name('exit-brain'), config, [...venueArgs(config), '--service', config.serviceId]);
  }

  strategy(): Promise<Child> {
    const { drill, timings, workspace } = this.#options;
    const config: StrategyConfig = {
      bus: this.#busOf('strategy'),
      record: workspace.recordUrl,
      venue: this.venueUrl,
      account: ACCOUNT,
      symbols: Array.from({ length: drill.positions }, (_, index) => (index === 0 ? 'AAPL' : `AAPL-${index + 1}`)),
      quantity: SHARES,
      ordersPerS: ORDERS_PER_S,
      restingEvery: 10,
      brokerTimeoutMs: timings.brokerTimeoutMs,
      lease: { ...timings.lease, drainPollMs: 10 },
    };
    return this.#act('strategy', 'strategy', config);
  }

  /** Ends everyone that still lives, by process id and at once: what they did is taken down already, and nothing of theirs is kept. */
  async close(): Promise<void> {
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

  /** Connections of the partitioned process to the bus that stand now. */
  get connections(): number {
    return this.#view?.connections ?? 0;
  }

  #common(who: Partition | 'brain') {
    return { bus: this.#busOf(who), scale: this.#options.drill.scale };
  }

  #busOf(who: Partition | 'brain'): string {
    const { drill, workspace } = this.#options;
    if (this.#view === undefined || drill.partition !== who) return workspace.busUrl;
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

  /** The shipped command, unless this part is played by a variant. */
  #play(role: Exclude<ActorRole, 'strategy'>, name: string, config: { readonly bus: string }, args: readonly string[]): Promise<Child> {
    const { drill, variants } = this.#options;
    if (variants.has(role)) return this.#act(role, name, config);
    return this.#start(name, COMMAND, [role, '--bus', config.bus, '--scale', String(drill.scale), ...args, '--json']);
  }

  #act(role: ActorRole, name: string, config: object): Promise<Child> {
    const { workspace, drill, variants } = this.#options;
    const order: ActorOrder = { ...variants.get(role), triggerFile: workspace.triggerFile, scale: drill.scale };
    // With a heap of its usual size it would take the host's memory before its own was full.
    const nodeFlags = order.fault === 'memory-full' ? ['--max-old-space-size=64'] : [];
    const launcher = this.#names !== undefined && drill.partition === role ? this.#names.launcher : [];
    return this.#start(name, ACTOR, [JSON.stringify({ role, order, config })], { nodeFlags, launcher });
  }

  async #start(
    name: string,
    script: string,
    args: readonly string[],
    how: Pick<ChildOptions, 'nodeFlags' | 'launcher'> = {},
  ): Promise<Child> {
    const child = await Child.start({
      name,
      script,
      args,
      ...how,
      clock: this.#clock,
      onLog: (line) => this.#options.onLog(name, line),
    });
    this.#children.push(child);
    guarded(child, this.#guard);
    await child.ready(READY_MS);
    return child;
  }
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
