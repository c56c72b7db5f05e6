/** One process of a simulation: its clock and its inbox, and what can happen to it. */
import type { HostIdentity } from '../../host.js';
import type { Kernel } from './kernel.js';
import { NodeClock, type NodeClockOptions } from './nodeClock.js';

export class SimulatedProcess {
  readonly name: string;
  readonly self: HostIdentity;
  readonly clock: NodeClock;
  readonly #kernel: Kernel;
  readonly #thaw: string;
  #state: 'runs' | 'stopped' | 'dead' = 'runs';
  #held: (() => void)[] = [];

  constructor(kernel: Kernel, name: string, self: HostIdentity, clock: NodeClockOptions) {
    this.#kernel = kernel;
    this.name = name;
    this.self = self;
    this.#thaw = `goes on ${name}`;
    this.clock = new NodeClock(kernel, name, clock, { runs: () => this.running, deliver: (act) => this.deliver(act) });
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  get running(): boolean {
    return this.#state === 'runs';
  }

  /** As SIGKILL: what it asked for goes on without it; it hears nothing and asks for nothing any more. */
  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  /** As SIGSTOP, or a loop that is blocked: no timer and no answer reaches it until {@link resume}. */
  stop(): void {
    if (this.#state === 'runs') this.#state = 'stopped';
  }

  /** As SIGCONT: what came meanwhile reaches it now, one after the other. */
  resume(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'runs';
    for (const act of this.#held.splice(0)) this.#kernel.after(0, this.#thaw, () => this.deliver(act));
  }

  /** Something reaches the process: now, when it goes on, or never. */
  deliver(act: () => void): void {
    if (this.#state === 'runs') act();
    else if (this.#state === 'stopped') this.#held.push(act);
  }
}
