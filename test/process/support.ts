/** A process that only records what is done to it, and the owner of its shutdown on a clock that the test moves. */
import type { Clock } from '../../src/clock.js';
import type { EndSignal, FaultEvent, ProcessEvents } from '../../src/process/events.js';
import type { ShutdownHook } from '../../src/process/hooks.js';
import { type SignalOptions, signalSettings } from '../../src/process/options.js';
import { ShutdownOwner } from '../../src/process/owner.js';
import { createShutdownGate, type ShutdownGate } from '../../src/shutdownGate/gate.js';
import { ManualClock } from '../../src/testing/manualClock.js';

export class RecordingProcess implements ProcessEvents {
  readonly hearsSignals = true;
  readonly told: string[] = [];
  /** `SIGTERM`, or `exit 1`: what ended it, in order. */
  readonly ends: string[] = [];
  forgiven = 0;
  unwritten = 0;
  /** Listeners of others. */
  others = 0;
  readonly #listeners = new Map<string, Set<(value: unknown) => unknown>>();

  #add(name: string, listener: (value: unknown) => unknown): () => void {
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(listener));
    return () => void all.delete(listener);
  }

  listeners(name: string): number {
    return this.#listeners.get(name)?.size ?? 0;
  }

  onSignal(name: EndSignal, listener: () => void): () => void {
    return this.#add(name, listener);
  }

  listenersOf(name: EndSignal): number {
    return this.listeners(name) + this.others;
  }

  onFault(name: FaultEvent, listener: (thrown: unknown) => void): () => void {
    return this.#add(name, listener);
  }

  onExit(listener: (code: number) => number | undefined): () => void {
    return this.#add('exit', (code) => listener(Number(code)));
  }

  forgiveOutput(): void {
    this.forgiven += 1;
  }

  unwrittenBytes(): number {
    return this.unwritten;
  }

  tell(line: string): void {
    this.told.push(line);
  }

  endBySignal(name: EndSignal): void {
    this.ends.push(name);
  }

  exit(code: number | undefined): void {
    this.ends.push(`exit ${code ?? 'as set'}`);
  }

  /** What the process gets from outside. Answers what the first listener answered. */
  emit(name: string, value?: unknown): unknown {
    return [...(this.#listeners.get(name) ?? [])].map((listener) => listener(value))[0];
  }
}

export class Scene {
  readonly clock: ManualClock;
  readonly process = new RecordingProcess();
  readonly gate: ShutdownGate;
  readonly owner: ShutdownOwner;
  readonly startMs: number;
  /** What hooks did, and when: `close @ 250`. */
  readonly seen: string[] = [];

  constructor(options: { readonly gate?: (clock: Clock) => ShutdownGate } = {}) {
    this.clock = new ManualClock();
    this.startMs = this.clock.monotonicMs();
    this.gate = options.gate?.(this.clock) ?? createShutdownGate({ clock: this.clock });
    this.owner = new ShutdownOwner({ gate: this.gate, clock: this.clock, events: this.process });
  }

  handle(options: SignalOptions = {}): () => void {
    return this.owner.handle(signalSettings(options));
  }

  note(what: string): void {
    this.seen.push(`${what} @ ${this.clock.monotonicMs() - this.startMs}`);
  }

  hook(name: string, hook: ShutdownHook = () => undefined, timeoutMs = 2_000): () => void {
    return this.owner.addHook({
      name,
      timeoutMs,
      hook: (context) => {
        this.note(name);
        return hook(context);
      },
    });
  }

  /** A hook that takes so long; undefined: for ever. */
  lasting(name: string, ms: number | undefined, timeoutMs = 2_000): () => void {
    return this.hook(name, () => (ms === undefined ? new Promise(() => undefined) : this.clock.sleep(ms)), timeoutMs);
  }
}
