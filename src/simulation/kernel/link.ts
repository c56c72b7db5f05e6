/**
 * A connection between a process and a server, as real TCP can behave: it delays, stalls in either direction and delivers late, or
 * breaks. It never drops bytes out of the middle of a stream, which no network can do.
 */
import type { Random } from '../../random.js';
import type { SimulatedEvent } from './eventQueue.js';
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

/** Whoever asked, as the far end knows it. */
export interface Caller<R> {
  /** The answer sets out now. */
  answer(reply: R): void;
  /** For a wait in vain: the answer is back now. */
  over(reply: R): void;
}

/** What stands at the far end. It answers once, or never. */
export type Endpoint<Q, R> = (request: Q, caller: Caller<R>) => void;

/**
 * A far end that lets a request wait there from its arrival on. Most waits are in vain: they cost one event in place of three.
 * False: there is something to answer now, or it waits for nothing, and comes by the usual way.
 */
export type Park<Q, R> = (request: Q, caller: Caller<R>, arrivesMs: number, backMs: number) => boolean;

export interface CallBounds {
  /** What a trace says of it. */
  readonly what: string;
  /** On the process's clock. */
  readonly timeoutMs: number;
  /** How long the endpoint itself may take. */
  readonly waitMs: number;
}

/** What a call needs of its link. */
interface Line<Q, R> {
  /** It has come to the end of its way, there or back. */
  passed(call: Call<Q, R>): void;
  setOutBack(call: Call<Q, R>): void;
  comeBack(call: Call<Q, R>): void;
}

/** A call on its way: it is the event of its arrival, and then that of its return. */
class Call<Q, R> implements SimulatedEvent, Caller<R> {
  dueMs = 0;
  order = 0;
  cancelled = false;
  /** A timer watches over it. */
  armed = false;
  /** What it brings back; undefined: it is on its way there. */
  result: CallEnd<R> | undefined;
  /** Held up at the end of its way, and not at its beginning. */
  travelled = false;

  constructor(
    private readonly line: Line<Q, R>,
    readonly request: Q,
    readonly what: string,
    readonly deadlineMs: number,
    /** The life of the connection that it belongs to. */
    readonly life: number,
    readonly waits: boolean,
    readonly end: (end: CallEnd<R>) => void,
  ) {}

  act(): void {
    this.line.passed(this);
  }

  answer(reply: R): void {
    this.result = { answered: true, reply };
    this.line.setOutBack(this);
  }

  over(reply: R): void {
    this.result = { answered: true, reply };
    this.line.comeBack(this);
  }
}

export class Link<Q, R> {
  readonly #kernel: Kernel;
  readonly #process: SimulatedProcess;
  readonly #endpoint: Endpoint<Q, R>;
  readonly #park: Park<Q, R> | undefined;
  readonly #random: Random;
  readonly #name: string;
  readonly #calls = new Set<Call<Q, R>>();
  readonly #line: Line<Q, R>;
  readonly #latencyMs: number;
  readonly #jitterMs: number;
  #extraMs = 0;
  #stall: Stall = 'none';
  #refusing = false;
  #outHeld: Call<Q, R>[] = [];
  #inHeld: Call<Q, R>[] = [];
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
    this.#line = {
      passed: (call) => (call.result === undefined ? this.#arrive(call) : this.#return(call)),
      setOutBack: (call) => this.#setOutBack(call),
      comeBack: (call) => this.#return(call),
    };
  }

  /** Settles by `timeoutMs` on the process's clock. `waitMs`: how long the endpoint itself may take. */
  call(request: Q, what: string, timeoutMs: number, waitMs = 0): Promise<CallEnd<R>> {
    return new Promise((resolve) => this.send(request, { what, timeoutMs, waitMs }, resolve));
  }

  /** As {@link call}, for whoever is called back: each promise costs more than the event that settles it. */
  send(request: Q, { what, timeoutMs, waitMs }: CallBounds, end: (end: CallEnd<R>) => void): void {
    if (this.#refusing) return end({ answered: false, sent: false, detail: 'the connection is refused' });
    const deadlineMs = this.#process.clock.monotonicMs() + timeoutMs;
    const call = new Call<Q, R>(this.#line, request, what, deadlineMs, this.#life, waitMs > 0, end);
    this.#calls.add(call);
    const slow = 2 * (this.#latencyMs + this.#jitterMs + this.#extraMs) + waitMs > timeoutMs;
    if (slow || this.#vigilant || this.#stall !== 'none') this.#arm(call);
    if (!(call.waits && this.#parks(call))) this.#setOut(call);
  }

  /** From now on calls are watched by timers: the far end may not answer. */
  set vigilant(is: boolean) {
    this.#vigilant = is;
    if (is) for (const call of this.#calls) this.#arm(call);
  }

  setStall(stall: Stall): void {
    this.#stall = stall;
    if (stall !== 'none') for (const call of this.#calls) this.#arm(call);
    if (stall === 'none' || stall === 'in')
      for (const call of this.#outHeld.splice(0)) {
        if (call.travelled) this.#arrive(call);
        else this.#setOut(call);
      }
    if (stall === 'none' || stall === 'out')
      for (const call of this.#inHeld.splice(0)) {
        if (call.travelled) this.#return(call);
        else this.#setOutBack(call);
      }
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

  /** Whoever waits at the far end is told here that it does not wait any more. */
  endWaits(detail: string): void {
    for (const call of this.#calls) if (call.waits) this.#settle(call, { answered: false, sent: true, detail });
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

  #parks(call: Call<Q, R>): boolean {
    if (this.#park === undefined || this.#vigilant || this.#stall !== 'none' || this.#extraMs > 0) return false;
    const arrivesMs = Math.max(this.#lastOutMs, this.#kernel.nowMs + this.#delayMs());
    if (!this.#park(call.request, call, arrivesMs, this.#delayMs())) return false;
    this.#lastOutMs = arrivesMs;
    this.#kernel.messages += 1;
    return true;
  }

  #arm(call: Call<Q, R>): void {
    if (call.armed) return;
    call.armed = true;
    const leftMs = Math.max(0, call.deadlineMs - this.#process.clock.monotonicMs());
    this.#process.clock.setTimer(leftMs, () => this.#settle(call, { answered: false, sent: true, detail: 'no answer in time' }));
  }

  #settle(call: Call<Q, R>, end: CallEnd<R>): void {
    if (this.#calls.delete(call)) call.end(end);
  }

  #delayMs(): number {
    return this.#latencyMs + this.#extraMs + (this.#jitterMs === 0 ? 0 : this.#random.next() * this.#jitterMs);
  }

  get #isStalledOut(): boolean {
    return this.#stall === 'out' || this.#stall === 'both';
  }

  get #isStalledIn(): boolean {
    return this.#stall === 'in' || this.#stall === 'both';
  }

  #setOut(call: Call<Q, R>): void {
    if (this.#isStalledOut) return void this.#outHeld.push(call);
    // In order, as bytes in one stream come.
    this.#lastOutMs = Math.max(this.#lastOutMs, this.#kernel.nowMs + this.#delayMs());
    this.#kernel.put(call, this.#lastOutMs);
  }

  #arrive(call: Call<Q, R>): void {
    call.travelled = true;
    if (this.#isStalledOut) return void this.#outHeld.push(call);
    call.travelled = false;
    this.#kernel.messages += 1;
    if (call.life === this.#life) this.#endpoint(call.request, call);
  }

  #setOutBack(call: Call<Q, R>): void {
    if (call.life !== this.#life) return;
    if (this.#isStalledIn) return void this.#inHeld.push(call);
    this.#lastInMs = Math.max(this.#lastInMs, this.#kernel.nowMs + this.#delayMs());
    this.#kernel.put(call, this.#lastInMs);
  }

  #return(call: Call<Q, R>): void {
    if (call.life !== this.#life) return;
    call.travelled = true;
    if (this.#isStalledIn) return void this.#inHeld.push(call);
    this.#kernel.messages += 1;
    const { result } = call;
    if (result === undefined) return;
    if (this.#process.running) this.#settle(call, result);
    else this.#process.deliver(() => this.#settle(call, result));
  }
}
