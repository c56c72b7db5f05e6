/** The ways in which a loop goes on: by itself, over items, or at an interval. Each ends by itself, by an abort or by a throw. */
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';

/** What one step of a loop threw: `fatal` says that there is no next one. */
export interface LoopFailure {
  readonly error: unknown;
  readonly fatal: boolean;
}

export interface LoopBody {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Judges a throw: true when the loop goes on. */
  readonly goesOn: (failure: LoopFailure) => boolean;
}

async function attempt(body: LoopBody, step: () => unknown): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    return body.goesOn({ error, fatal: false });
  }
}

/** When tick number `index` or, if its time has passed, the next one after `nowMs` is due. Ticks that were missed are left out. */
export function nextTick(startMs: number, everyMs: number, index: number, nowMs: number): number {
  return Math.max(index, Math.ceil((nowMs - startMs) / everyMs));
}

/** Calls `work` at once and then every `everyMs`, never while the last call has not ended. */
export async function runTicks(body: LoopBody, everyMs: number, work: (signal: AbortSignal) => unknown): Promise<void> {
  const { clock, signal } = body;
  const startMs = clock.monotonicMs();
  for (let index = 0; !signal.aborted; ) {
    if (!(await attempt(body, () => work(signal)))) return;
    index = nextTick(startMs, everyMs, index + 1, clock.monotonicMs());
    await clock.sleep(Math.max(0, startMs + index * everyMs - clock.monotonicMs()), signal);
  }
}

/** So long a source that was told to end may take to say so. */
export const SOURCE_CLOSE_MS = 1_000;

/** Items that come without a pause would keep signals and timers from being heard: after so long the loop stands aside for a turn. */
export const BREATH_MS = 50;

/** Notices that the event loop has not come round. Its timer is set only while items come. */
class Breath {
  readonly #body: LoopBody;
  #heldSinceMs: number | undefined;

  constructor(body: LoopBody) {
    this.#body = body;
  }

  async take(): Promise<void> {
    const { clock, signal } = this.#body;
    const nowMs = clock.monotonicMs();
    if (this.#heldSinceMs === undefined) {
      this.#heldSinceMs = nowMs;
      const turned = (): void => {
        this.#heldSinceMs = undefined;
      };
      clock.setTimer(BREATH_MS / 2, turned, { keepAlive: false });
    } else if (nowMs - this.#heldSinceMs >= BREATH_MS) await clock.sleep(0, signal);
  }
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) yield item;
}

/** Undefined: the source has come to its end, or was told to. */
type Taken<T> = { readonly item: T } | { readonly error: unknown } | undefined;

async function next<T>(iterator: AsyncIterator<T>): Promise<Taken<T>> {
  try {
    const result = await iterator.next();
    return result.done === true ? undefined : { item: result.value };
  } catch (error) {
    return { error };
  }
}

/** Takes items from a source until it ends or is told to. */
class Source<T> {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #iterator: AsyncIterator<T>;
  #isWaiting = false;
  // One listener for all items: a race against one promise would keep something of every item until the abort.
  #wake: () => void = () => {};

  constructor({ clock, signal }: LoopBody, items: Iterable<T> | AsyncIterable<T>) {
    this.#clock = clock;
    this.#signal = signal;
    const source = Symbol.asyncIterator in items ? items : asynchronous(items);
    this.#iterator = source[Symbol.asyncIterator]();
    signal.addEventListener('abort', () => this.#wake());
  }

  async take(): Promise<Taken<T>> {
    if (this.#signal.aborted) return undefined;
    this.#isWaiting = true;
    return await new Promise<Taken<T>>((resolve) => {
      this.#wake = () => resolve(undefined);
      void next(this.#iterator).then((answer) => {
        this.#isWaiting = false;
        resolve(answer);
      });
    });
  }

  // One that is waiting for its next item cannot hear of its end until that item comes: nobody waits for it.
  async close(): Promise<void> {
    const closed = (async () => this.#iterator.return?.())().catch(() => undefined);
    if (!this.#isWaiting) await settleWithin(this.#clock, closed, SOURCE_CLOSE_MS);
  }
}

/** Hands each item to `handle`, one at a time. After the abort none is handed on, not even one that the source still gives. */
export async function runItems<T>(
  body: LoopBody,
  items: Iterable<T> | AsyncIterable<T>,
  handle: (item: T, signal: AbortSignal) => unknown,
): Promise<void> {
  const source = new Source(body, items);
  const breath = new Breath(body);
  for (;;) {
    await breath.take();
    const taken = await source.take();
    // Asked in the same step in which it is handed on: the abort may have come since it was taken.
    const isHandedOn = taken !== undefined && 'item' in taken && !body.signal.aborted;
    const goesOn = isHandedOn && (await attempt(body, () => handle(taken.item, body.signal)));
    if (goesOn) continue;
    if (taken !== undefined && 'error' in taken) body.goesOn({ error: taken.error, fatal: true });
    return await source.close();
  }
}
