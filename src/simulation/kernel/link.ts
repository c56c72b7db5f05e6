/**
 * A connection between a process and a server, as real TCP can behave: it delays, stalls in either direction and delivers late, or
 * breaks. It never drops bytes out of the middle of a stream, which no network can do.
 */
import type { Random } from '../../random.js';
import type { Kernel } from './kernel.js';
import type { SimulatedProcess } from './simulatedProcess.js';

/** `out`: what the process sends does not arrive; `in`: what is sent to it does not. */
export type Stall = 'none' | 'out' | 'in' | 'both';

export interface LinkOptions {
  readonly latencyMs: number;
  /** Added to the latency, evenly between 0 and this. */
  readonly jitterMs: number;
}

/** What became of a call: an answer, or none and why. `sent: false` is sure, anything else may still take effect. */
export type CallEnd<R> =
  | { readonly answered: true; readonly reply: R }
  | { readonly answered: false; readonly sent: boolean; readonly detail: string };

export interface CallBounds {
  /** What a trace says of it. */
  readonly what: string;
  /** On the process's clock. */
  readonly timeoutMs: number;
  /** How long the endpoint itself may take. */
  readonly waitMs: number;
}

interface Call<R> {
  readonly deadlineMs: number;
  readonly end: (end: CallEnd<R>) => void;
  armed: boolean;
}

/** What stands at the far end. It answers once, or never. */
export type Endpoint<Q, R> = (request: Q, answer: (reply: R) => void) => void;

/** The way of a request that waits for news at the far end. */
export interface Wait<R> {
  /** When it is there. */
  readonly arrivesMs: number;
  /** What an answer takes back. */
  readonly backMs: number;
  /** For news: the answer sets out now. */
  readonly answer: (reply: R) => void;
  /** For a wait in vain: the answer is back now. */
  readonly over: (reply: R) => void;
}

/**
 * A far end that lets a request wait there from its arrival on. Most waits are in vain: they cost one event in place of three.
 * False: there is something to answer now, or it waits for nothing, and comes by the usual way.
 */
export type Park<Q, R> = (request: Q, wait: Wait<R>) => boolean;

export class Link<Q, R> {
  readonly #kernel: Kernel;
  readonly #process: SimulatedProcess;
  readonly #endpoint: Endpoint<Q, R>;
  readonly #park: Park<Q, R> | undefined;
  readonly #random: Random;
  readonly #name: string;
  readonly #calls = new Set<Call<R>>();
  #latencyMs: number;
  readonly #jitterMs: number;
  #extraMs = 0;
  #stall: Stall = 'none';
  #refusing = false;
  #outHeld: (() => void)[] = [];
  #inHeld: (() => void)[] = [];
  #lastOutMs = 0;
  #lastInMs = 0;
  #life = 0;
  /** What the endpoint may be slow or silent about, for which no timer runs while all is well. */
  #vigilant = false;

  constructor(kernel: Kernel, process: SimulatedProcess, name: string, endpoint: Endpoint<Q, R>, options: LinkOptions, park?: Park<Q, R>) {
    this.#kernel = kernel;
    this.#process = process;
    this.#endpoint = endpoint;
    this.#park = park;
    this.#name = `${process.name}>${name}`;
    this.#random = kernel.random.fork(`link ${this.#name}`);
    this.#latencyMs = options.latencyMs;
    this.#jitterMs = options.jitterMs;
  }

  /** Settles by `timeoutMs` on the process's clock. `waitMs`: how long the endpoint itself may take. */
  call(request: Q, what: string, timeoutMs: number, waitMs = 0): Promise<CallEnd<R>> {
    return new Promise((resolve) => this.send(request, { what, timeoutMs, waitMs }, resolve));
  }

  /** As {@link call}, for whoever is called back: each promise costs more than the event that settles it. */
  send(request: Q, { what, timeoutMs, waitMs }: CallBounds, end: (end: CallEnd<R>) => void): void {
    if (this.#refusing) return end({ answered: false, sent: false, detail: 'the connection is refused' });
    const call: Call<R> = { deadlineMs: this.#process.clock.monotonicMs() + timeoutMs, end, armed: false };
    this.#calls.add(call);
    const slow = 2 * (this.#latencyMs + this.#jitterMs + this.#extraMs) + waitMs > timeoutMs;
    if (slow || this.#vigilant || this.#stall !== 'none') this.#arm(call);
    const life = this.#life;
    const back = (reply: R) => this.#process.deliver(() => this.#settle(call, { answered: true, reply }));
    const answer = (reply: R) => {
      if (life === this.#life) this.#in(what, () => back(reply));
    };
    const over = (reply: R) => {
      if (life === this.#life) this.#comeBack(() => back(reply));
    };
    if (waitMs > 0 && this.#parks(request, answer, over)) return;
    this.#out(what, () => {
      if (life === this.#life) this.#endpoint(request, answer);
    });
  }

  #parks(request: Q, answer: (reply: R) => void, over: (reply: R) => void): boolean {
    if (this.#park === undefined || this.#vigilant || this.#stall !== 'none' || this.#extraMs > 0) return false;
    const arrivesMs = Math.max(this.#lastOutMs, this.#kernel.nowMs + this.#delayMs());
    if (!this.#park(request, { arrivesMs, backMs: this.#delayMs(), answer, over })) return false;
    this.#lastOutMs = arrivesMs;
    this.#kernel.messages += 1;
    return true;
  }

  /** From now on calls are watched by timers: the far end may not answer. */
  set vigilant(is: boolean) {
    this.#vigilant = is;
    if (is) for (const call of this.#calls) this.#arm(call);
  }

  setStall(stall: Stall): void {
    this.#stall = stall;
    if (stall !== 'none') for (const call of this.#calls) this.#arm(call);
    if (stall === 'none' || stall === 'in') for (const pass of this.#outHeld.splice(0)) pass();
    if (stall === 'none' || stall === 'out') for (const pass of this.#inHeld.splice(0)) pass();
  }

  /** Everything takes so much longer: a clogged line. */
  setExtra(extraMs: number): void {
    this.#extraMs = extraMs;
    if (extraMs > 0) for (const call of this.#calls) this.#arm(call);
  }

  /** Nothing listens: new calls surely do not leave. */
  setRefusing(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** The connection breaks: what was on its way is lost, and nobody knows how far it came. */
  reset(): void {
    this.#life += 1;
    this.#outHeld = [];
    this.#inHeld = [];
    const lost = [...this.#calls];
    this.#calls.clear();
    for (const call of lost) {
      this.#kernel.after(0, `reset ${this.#name}`, () =>
        this.#process.deliver(() => call.end({ answered: false, sent: true, detail: 'the connection broke' })),
      );
    }
  }

  #arm(call: Call<R>): void {
    if (call.armed) return;
    call.armed = true;
    const leftMs = Math.max(0, call.deadlineMs - this.#process.clock.monotonicMs());
    this.#process.clock.setTimer(leftMs, () => this.#settle(call, { answered: false, sent: true, detail: 'no answer in time' }));
  }

  #settle(call: Call<R>, end: CallEnd<R>): void {
    if (this.#calls.delete(call)) call.end(end);
  }

  #delayMs(): number {
    return this.#latencyMs + this.#extraMs + (this.#jitterMs === 0 ? 0 : this.#random.next() * this.#jitterMs);
  }

  #out(what: string, arrive: () => void): void {
    if (this.#stall === 'out' || this.#stall === 'both') {
      this.#outHeld.push(() => this.#out(what, arrive));
      return;
    }
    // In order, as bytes in one stream come.
    this.#lastOutMs = Math.max(this.#lastOutMs, this.#kernel.nowMs + this.#delayMs());
    this.#kernel.at(this.#lastOutMs, what, () => {
      if (this.#stall === 'out' || this.#stall === 'both') this.#outHeld.push(arrive);
      else {
        this.#kernel.messages += 1;
        arrive();
      }
    });
  }

  #in(what: string, arrive: () => void): void {
    if (this.#stall === 'in' || this.#stall === 'both') {
      this.#inHeld.push(() => this.#in(what, arrive));
      return;
    }
    this.#lastInMs = Math.max(this.#lastInMs, this.#kernel.nowMs + this.#delayMs());
    this.#kernel.at(this.#lastInMs, what, () => this.#comeBack(arrive));
  }

  #comeBack(arrive: () => void): void {
    if (this.#stall === 'in' || this.#stall === 'both') this.#inHeld.push(arrive);
    else {
      this.#kernel.messages += 1;
      arrive();
    }
  }
}
