/** The switch as the orders of one scope see it: a permission, a plain answer, and what listeners are told. */
import { type Clock, quietTimers, type Timer } from '../clock.js';
import { isolated } from '../logger.js';
import type { IntentKind, Permission, Refusal } from '../permission.js';
import {
  decide,
  decideExit,
  type ExitVerdict,
  type Halting,
  lapse,
  type Observation,
  type Standing,
  stands,
  type Verdict,
} from './decide.js';
import { ExecutionHaltedError } from './errors.js';
import type { KillSwitchConfig } from './options.js';
import type { KillSwitchScope, Opinion } from './source.js';

export const KILL_SWITCH_NAME = 'kill_switch';

/** What one source has said last. */
export interface SourceState {
  readonly name: string;
  readonly says: Opinion['says'];
  readonly reason: string | undefined;
  /** Since the last read began that was answered; Infinity before the first. */
  readonly ageMs: number;
}

interface CommonState {
  /** When it was last switched, or lapsed, in this process. For people. */
  readonly sinceWallMs: number;
  /** The age of the oldest answer that this stands on; Infinity until each source has answered once. */
  readonly checkedAgeMs: number;
  readonly sources: readonly SourceState[];
}

/** Plain data, for a status page. */
export type KillSwitchState = CommonState &
  (
    | { readonly halted: true; readonly source: string; readonly reason: string }
    | { readonly halted: false; readonly source: undefined; readonly reason: undefined }
  );

/** What every part of the switch answers; the whole of it is a {@link KillSwitch}. */
export interface KillSwitchView extends Permission {
  /** False only while orders may pass. Reads both clocks and nothing else, and never throws. */
  isHalted(): boolean;
  state(): KillSwitchState;
  /** Throws {@link ExecutionHaltedError} unless orders may pass. `operation` is for its message. */
  requireOff(operation: string): void;
  /** Called after each change of the answer or of its cause. Nothing that it does changes one. Returns how to stop. */
  onChange(listener: (state: KillSwitchState) => void): (() => void) & Disposable;
}

type ViewConfig = Pick<KillSwitchConfig, 'clock' | 'logger' | 'maxStalenessMs' | 'wallDivergenceMs'>;

/** An injected clock that throws leaves nothing to stand on. */
const CLOCK_FAILED: Halting = { source: 'clock', reason: 'the clock failed, and without it nothing can be relied on' };

export class SwitchView implements KillSwitchView {
  readonly name = KILL_SWITCH_NAME;
  readonly #config: ViewConfig;
  readonly #clock: Clock;
  readonly #scope: KillSwitchScope;
  readonly #observe: () => readonly Observation[];
  readonly #listeners = new Set<{ readonly tell: (state: KillSwitchState) => void }>();
  #verdict: Verdict;
  #exit: ExitVerdict;
  /** What was last told. */
  #told: Halting | undefined;
  #sinceWallMs: number;
  #hasEnded = false;
  #lapseTimer: Timer | undefined;

  /** `observe` gives the newest answers of the sources that concern this scope. */
  constructor(config: ViewConfig, scope: KillSwitchScope, observe: () => readonly Observation[]) {
    this.#config = config;
    this.#clock = config.clock;
    this.#scope = scope;
    this.#observe = observe;
    const observations = observe();
    this.#verdict = decide(observations, config);
    this.#exit = decideExit(observations, config);
    this.#sinceWallMs = config.clock.wallMs();
    this.#told = this.#halting(config.clock.monotonicMs(), this.#sinceWallMs);
    this.#watchForLapse();
  }

  /** `nowMs` and `wallMs` are readings of the switch's own clock. Cancels always pass, and so do reductions unless an exit is, or may be, under way. */
  check(nowMs: number, intent: IntentKind, _entryId?: number, wallAtDoorMs?: number): Refusal | undefined {
    if (intent === 'cancel') return undefined;
    try {
      const wallMs = wallAtDoorMs ?? this.#clock.wallMs();
      if (intent === 'reduce') return this.#reduceRefusal(nowMs, wallMs);
      const halting = this.#halting(nowMs, wallMs);
      if (halting === undefined) return undefined;
      return { code: 'kill_switch_enabled', source: this.name, reason: halting.reason, sinceWallMs: this.#since(halting, wallMs) };
    } catch {
      return { code: 'kill_switch_enabled', source: this.name, reason: CLOCK_FAILED.reason };
    }
  }

  isHalted(): boolean {
    return this.#haltingNow() !== undefined;
  }

  requireOff(operation: string): void {
    const halting = this.#haltingNow();
    if (halting !== undefined) throw new ExecutionHaltedError(operation, halting);
  }

  state(): KillSwitchState {
    const nowMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.wallMs();
    const sources = this.#observe().map(({ opinion, sent }) => ({
      name: opinion.from,
      says: opinion.says,
      reason: opinion.reason,
      ageMs: nowMs - sent.sentMs,
    }));
    const halting = this.#halting(nowMs, wallMs);
    const checkedAgeMs = Math.max(...sources.map(({ ageMs }) => ageMs));
    const common = { sinceWallMs: this.#since(halting, wallMs), checkedAgeMs, sources };
    if (halting === undefined) return { halted: false, source: undefined, reason: undefined, ...common };
    return { halted: true, source: halting.source, reason: halting.reason, ...common };
  }

  onChange(listener: (state: KillSwitchState) => void): (() => void) & Disposable {
    const entry = { tell: listener };
    this.#listeners.add(entry);
    const stop = (): void => void this.#listeners.delete(entry);
    return Object.assign(stop, { [Symbol.dispose]: stop });
  }

  /** Takes in what the sources have said. */
  refresh(): void {
    if (this.#hasEnded) return;
    const observations = this.#observe();
    this.#verdict = decide(observations, this.#config);
    this.#exit = decideExit(observations, this.#config);
    this.#noteAndWatch();
  }

  /** Halts for good. */
  end(halting: Halting): void {
    this.#hasEnded = true;
    this.#verdict = { halted: true, ...halting };
    if (this.#exit !== undefined) this.#exit = { doubt: halting };
    this.#lapseTimer?.cancel();
    isolated(() => this.#note());
  }

  #halting(nowMs: number, wallMs: number): Halting | undefined {
    const verdict = this.#verdict;
    if (verdict.halted) return verdict;
    return stands(verdict, nowMs, wallMs) ? undefined : lapse(verdict, nowMs, this.#config);
  }

  #haltingNow(): Halting | undefined {
    try {
      return this.#halting(this.#clock.monotonicMs(), this.#clock.wallMs());
    } catch {
      return CLOCK_FAILED;
    }
  }

  // What lapsed just now will be noted by a timer that has not run yet.
  #since(halting: Halting | undefined, wallMs: number): number {
    return (halting === undefined) === (this.#told === undefined) ? this.#sinceWallMs : wallMs;
  }

  #reduceRefusal(nowMs: number, wallMs: number): Refusal | undefined {
    const exit = this.#exit;
    if (exit === undefined) return undefined;
    if ('open' in exit) {
      const { reason, sinceWallMs } = exit.open;
      return { code: 'exit_in_progress', source: this.name, reason: `only the exit worker closes now: ${reason}`, sinceWallMs };
    }
    const doubt = 'doubt' in exit ? exit.doubt : this.#exitLapse(exit.none, nowMs, wallMs);
    if (doubt === undefined) return undefined;
    const reason = `an exit may be under way, and only its worker would close: ${doubt.reason}`;
    return { code: 'kill_switch_enabled', source: this.name, reason };
  }

  #exitLapse(standing: Standing, nowMs: number, wallMs: number): Halting | undefined {
    return stands(standing, nowMs, wallMs) ? undefined : lapse(standing, nowMs, this.#config);
  }

  #note(): void {
    const wallMs = this.#clock.wallMs();
    const halting = this.#halting(this.#clock.monotonicMs(), wallMs);
    const before = this.#told;
    if (before?.source === halting?.source && before?.reason === halting?.reason) return;
    this.#told = halting;
    if ((before === undefined) !== (halting === undefined)) this.#sinceWallMs = wallMs;
    if (halting === undefined) this.#config.logger.info({ ...this.#scope }, 'the kill switch is off');
    else this.#config.logger.warn({ ...this.#scope, source: halting.source, reason: halting.reason }, 'the kill switch halts');
    // Of those who listen by now: one that is added meanwhile hears of the next change.
    for (const entry of [...this.#listeners]) if (this.#listeners.has(entry)) isolated(entry.tell, this.state());
  }

  // What was decided stands, though a clock that throws may keep anybody from hearing of it.
  #noteAndWatch(): void {
    isolated(() => {
      this.#note();
      this.#watchForLapse();
    });
  }

  // For listeners alone: whoever asks is answered by the clock.
  #watchForLapse(): void {
    if (this.#verdict.halted || this.#lapseTimer !== undefined) return;
    // The first millisecond in which it does not stand any more.
    const delayMs = this.#verdict.untilMs - this.#clock.monotonicMs() + 1;
    if (!(delayMs > 0)) return;
    this.#lapseTimer = quietTimers(this.#clock).setTimer(delayMs, () => {
      this.#lapseTimer = undefined;
      this.#noteAndWatch();
    });
  }
}
