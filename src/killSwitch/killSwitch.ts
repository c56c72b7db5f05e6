/** The kill switch: orders pass only while every source that has an opinion says, and said lately, that they may. */

import { ConfigurationError } from '../errors.js';
import { concerns } from './decide.js';
import { SourceFollower } from './follow.js';
import { checkChangeable, checkScope, type KillSwitchConfig, type KillSwitchOptions, killSwitchConfig } from './options.js';
import type { KillSwitchScope } from './source.js';
import { KILL_SWITCH_NAME, type KillSwitchView, SwitchView } from './view.js';

export interface KillSwitch extends KillSwitchView {
  /** Resolves after one attempt on every source, well or not, at most `maxStalenessMs` later. Until then the switch halts. */
  readonly ready: Promise<void>;
  /**
   * The same switch for the orders of one strategy or account: sources of another one do not concern it. The switch itself, without
   * a scope, is halted by every source. Asked twice for one scope it answers the same object.
   * Throws ConfigurationError for a scope that no source concerns, or whose sources can never change.
   */
  scoped(scope: KillSwitchScope): KillSwitchView;
  /** Ends all reading and watching. From then on the switch halts. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

class LiveKillSwitch extends SwitchView implements KillSwitch {
  readonly ready: Promise<void>;
  readonly #config: KillSwitchConfig;
  readonly #followers: readonly SourceFollower[];
  readonly #views = new Map<string, SwitchView>();
  #closing: Promise<void> | undefined;

  constructor(config: KillSwitchConfig) {
    const followers: SourceFollower[] = [];
    super(config, {}, () => followers.map(({ observation }) => observation));
    this.#config = config;
    this.#followers = followers;
    this.#follow(followers);
    this.refresh();
    this.ready = Promise.all(followers.map(({ attempted }) => attempted)).then(() => undefined);
  }

  scoped(scope: KillSwitchScope): KillSwitchView {
    const checked = checkScope(scope);
    const key = JSON.stringify([checked.strategy, checked.account]);
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const view = this.#newView(checked);
    this.#views.set(key, view);
    return view;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #follow(followers: SourceFollower[]): void {
    try {
      for (const source of this.#config.sources) followers.push(new SourceFollower(source, this.#config, () => this.#refreshAll()));
    } catch (error) {
      // Nobody gets this switch to close: the sources that were opened before would be read for ever.
      for (const follower of followers) void follower.stop();
      throw error;
    }
  }

  #newView(scope: KillSwitchScope): SwitchView {
    const followers = this.#followers.filter(({ source }) => concerns(source.scope, scope));
    const sources = followers.map(({ source }) => source);
    if (sources.length === 0) throw new ConfigurationError('scope', JSON.stringify(scope), 'must concern at least one source');
    checkChangeable('scope', JSON.stringify(scope), sources, this.#config.allowStatic);
    const view = new SwitchView(this.#config, scope, () => followers.map(({ observation }) => observation));
    if (this.#closing !== undefined) view.end(CLOSED);
    return view;
  }

  #refreshAll(): void {
    this.refresh();
    for (const view of this.#views.values()) view.refresh();
  }

  async #close(): Promise<void> {
    const stopping = this.#followers.map((follower) => follower.stop());
    this.end(CLOSED);
    for (const view of this.#views.values()) view.end(CLOSED);
    await Promise.all(stopping);
  }
}

const CLOSED = { source: KILL_SWITCH_NAME, reason: 'the kill switch is closed' };

/**
 * A switch that halts until every source has been read, and whenever one of them says so, cannot be understood, or has not been
 * read within `maxStalenessMs`. Throws ConfigurationError for options that cannot hold.
 */
export function createKillSwitch(options: KillSwitchOptions): KillSwitch {
  return new LiveKillSwitch(killSwitchConfig(options));
}
