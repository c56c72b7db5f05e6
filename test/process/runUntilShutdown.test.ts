/** Loops: told of the shutdown, waited for, and the reason for one when they fail. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { ConfigurationError } from '../../src/errors.js';
import type { OnLoopError } from '../../src/process/loopErrors.js';
import { BREATH_MS, nextTick, SOURCE_CLOSE_MS } from '../../src/process/loopForms.js';
import { type LoopEnd, type LoopOptions, type LoopPlace, runOver, runUntilShutdown, runWork } from '../../src/process/runUntilShutdown.js';
import { onShutdown, resetProcessShutdown } from '../../src/process/shutdown.js';
import { OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { requestShutdown, shutdownGate } from '../../src/shutdownGate/processGate.js';
import { openCall, refusalOf, settled } from '../shutdownGate/support.js';
import { fcSeed } from '../support/seed.js';
import { Scene } from './support.js';

class LoopScene extends Scene {
  readonly place = (): LoopPlace => ({ clock: this.clock, signal: this.gate.signal, owner: this.owner });

  work(work: (signal: AbortSignal) => unknown, options: LoopOptions & { readonly everyMs?: number } = {}): Watched {
    return new Watched(runWork(this.place, work, options));
  }

  over<T>(items: Iterable<T> | AsyncIterable<T>, handle: (item: T, signal: AbortSignal) => unknown, options: LoopOptions = {}): Watched {
    return new Watched(runOver(this.place, items, handle, options));
  }

  loops(): string | undefined {
    this.process.told.length = 0;
    this.process.emit('exit', 3);
    return this.process.told[0]?.split('loops that did not return: ')[1];
  }
}

class Watched {
  end: LoopEnd['endedBy'] | 'open' = 'open';
  error: unknown;

  constructor(readonly promise: Promise<LoopEnd>) {
    promise.then(
      ({ endedBy }) => {
        this.end = endedBy;
      },
      (error: unknown) => {
        this.error = error;
      },
    );
  }
}

const abortable = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

describe('a function', () => {
  it('that returns has ended by itself, and asks for nothing', async () => {
    const scene = new LoopScene();
    const loop = scene.work(() => 'done');
    await settled();
    expect([loop.end, scene.gate.requested]).toEqual(['itself', false]);
  });

  it('is told of the shutdown by its signal, and waited for by the drain', async () => {
    const scene = new LoopScene();
    scene.hook('hook');
    const loop = scene.work(async (signal) => {
      expect(signal.aborted).toBe(false);
      await scene.clock.sleep(60_000, signal);
      scene.note(`aborted: ${(signal.reason as Error).message}`);
      await scene.clock.sleep(500);
    });
    await scene.clock.advance(1_000);
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(499);
    expect(loop.end).toBe('open');
    await scene.clock.advance(1);
    expect([loop.end, scene.seen]).toEqual(['shutdown', ['aborted: SIGTERM @ 1000', 'hook @ 1500']]);
  });

  it('is not called once the shutdown was requested', async () => {
    const scene = new LoopScene();
    scene.gate.requestShutdown('early');
    const loop = scene.work(() => scene.note('called'));
    await settled();
    expect([loop.end, scene.seen]).toEqual(['shutdown', []]);
  });

  it.each([
    ['the reason of the abort', (signal: AbortSignal) => abortable(signal)],
    [
      'an AbortError of its own',
      async (signal: AbortSignal) => {
        await abortable(signal).catch(() => undefined);
        throw new DOMException('The operation was aborted', 'AbortError');
      },
    ],
    [
      'an order that came too late',
      async (signal: AbortSignal) => {
        await abortable(signal).catch(() => undefined);
        throw new OrderRefusedError(refusalOf('shutdown_requested'));
      },
    ],
  ])('that is told to end may end by throwing %s', async (_what, work) => {
    const scene = new LoopScene();
    const loop = scene.work(work);
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(0);
    expect([loop.end, loop.error]).toEqual(['shutdown', undefined]);
  });

  it('that throws anything else while it is told to end has failed', async () => {
    const scene = new LoopScene();
    scene.handle();
    const error = new OrderRefusedError(refusalOf('lease_expired'));
    scene.work(async (signal) => {
      await abortable(signal).catch(() => undefined);
      throw error;
    });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(0);
    expect(scene.process.ends).toEqual(['exit 1']);
    expect(scene.process.told).toEqual([`failflat: loop loop failed: ${error.message}: ${error.stack}`]);
  });

  it('that throws asks for the shutdown, and the promise rejects only after drain and hooks', async () => {
    const scene = new LoopScene();
    const permit = scene.gate.tryEnter('order');
    scene.hook('hook');
    const error = new Error('no data');
    const loop = scene.work(
      () => {
        throw error;
      },
      { name: 'pairs' },
    );
    await scene.clock.advance(2_000);
    expect([scene.gate.reason, loop.error]).toEqual(['loop pairs failed: no data', undefined]);
    if (permit.ok) permit.settle('acknowledged');
    await scene.clock.advance(0);
    expect([loop.error, scene.seen]).toEqual([error, ['hook @ 2000']]);
  });

  it('that throws ends a process whose signals are handled with exit code 1, before anyone can get in between', async () => {
    const scene = new LoopScene();
    scene.handle();
    const loop = scene.work(() => Promise.reject(Object.create(null) as Error), { name: 'odd' });
    await scene.clock.advance(60_000);
    expect([scene.process.ends, loop.end, loop.error]).toEqual([['exit 1'], 'open', undefined]);
    expect(scene.process.told).toEqual(['failflat: loop odd failed: something that has no text: something that has no text']);
  });

  it.each<OnLoopError>(['reject', () => 'reject'])('may be let go alone (%#)', async (onError) => {
    const scene = new LoopScene();
    const error = new Error('no data');
    const loop = scene.work(() => Promise.reject(error), { onError });
    await settled();
    expect([loop.error, scene.gate.requested]).toEqual([error, false]);
  });

  it.each<OnLoopError>([
    'shutdown',
    'continue',
    () => 'continue',
    () => 'anything' as never,
    () => {
      throw new Error('judge failed');
    },
  ])('cannot go on after a throw, and no doubtful verdict makes it (%#)', async (onError) => {
    const scene = new LoopScene();
    scene.work(() => Promise.reject(new Error('no data')), { onError });
    await settled();
    expect(scene.gate.requested).toBe(true);
  });

  it('a refused order that it lets out ends it, as it has no next item', async () => {
    const scene = new LoopScene();
    scene.work(() => Promise.reject(new OrderRefusedError(refusalOf('kill_switch_enabled'))));
    await settled();
    expect(scene.gate.reason).toContain('kill_switch_enabled');
  });

  it('that ignores the shutdown is named, and holds the process no longer than the drain', async () => {
    const scene = new LoopScene();
    scene.handle();
    const loop = scene.work(() => new Promise(() => undefined), { name: 'deaf' });
    scene.process.emit('SIGTERM');
    await scene.clock.advance(8_000);
    expect([scene.process.ends, loop.end]).toEqual([['SIGTERM'], 'open']);
    expect(scene.process.told).toEqual(['failflat: shutdown (SIGTERM): loops that did not return: "deaf"']);
  });

  it('is told also where a listener of the gate’s signal keeps the event from the others', async () => {
    const scene = new LoopScene();
    scene.gate.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
    const loop = scene.work((signal) => scene.clock.sleep(60_000, signal));
    scene.gate.requestShutdown('SIGTERM');
    await settled();
    expect(loop.end).toBe('shutdown');
  });

  it('leaves no listener behind', async () => {
    const scene = new LoopScene();
    const added: unknown[] = [];
    const signal = {
      aborted: false,
      addEventListener: (_name: string, listener: unknown) => void added.push(listener),
      removeEventListener: (_name: string, listener: unknown) => void added.splice(added.indexOf(listener), 1),
    } as unknown as AbortSignal;
    const loop = new Watched(
      runWork(
        () => ({ ...scene.place(), signal }),
        () => expect(added).toHaveLength(1),
        {},
      ),
    );
    await settled();
    expect([loop.end, added]).toEqual(['itself', []]);
  });
});

describe('ticks', () => {
  it('come at once and then at the interval; what took too long is left out, not made up for', async () => {
    const scene = new LoopScene();
    const lasts = [0, 250, 0, 0];
    const loop = scene.work(
      async () => {
        scene.note('tick');
        await scene.clock.sleep(lasts.shift() ?? 0);
      },
      { everyMs: 100 },
    );
    await scene.clock.advance(599);
    expect(scene.seen).toEqual(['tick @ 0', 'tick @ 100', 'tick @ 400', 'tick @ 500']);
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(0);
    expect([loop.end, scene.clock.pending]).toEqual(['shutdown', 0]);
  });

  it('go on after a refused order, or when told to, and say so; the shutdown follows anything else', async () => {
    const scene = new LoopScene();
    const errors: unknown[] = [
      new OrderRefusedError(refusalOf('kill_switch_enabled')),
      new OrderRefusedError(refusalOf('circuit_breaker_losses')),
      new Error('x'),
    ];
    const warned: unknown[] = [];
    const [first, second] = errors;
    const logger = { debug() {}, info() {}, warn: (...told: unknown[]) => void warned.push(told), error() {} };
    const loop = scene.work(
      () => {
        scene.note('tick');
        throw errors.shift();
      },
      { everyMs: 10, logger },
    );
    await scene.clock.advance(100);
    expect([scene.seen, scene.gate.requested]).toEqual([['tick @ 0', 'tick @ 10', 'tick @ 20'], true]);
    expect(warned).toEqual([first, second].map((error) => [{ loop: 'loop', err: error }, 'a loop goes on after an error']));
    expect(loop.error).toEqual(new Error('x'));

    const stubborn = new LoopScene();
    stubborn.work(() => Promise.reject(new Error('x')), { everyMs: 10, onError: 'continue' });
    await stubborn.clock.advance(100);
    expect(stubborn.gate.requested).toBe(false);
  });

  it('do not go on after a throw that comes after the shutdown was requested', async () => {
    const scene = new LoopScene();
    const loop = scene.work(
      async () => {
        await scene.clock.sleep(50);
        throw new Error('late');
      },
      { everyMs: 10, onError: 'continue' },
    );
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(50);
    expect(loop.error).toEqual(new Error('late'));
  });

  it('never come twice for one time, however early a timer is', () => {
    expect(nextTick(0, 100, 1, 99.9)).toBe(1);
    expect(nextTick(0, 100, 2, 99.9)).toBe(2);
    expect(nextTick(0, 100, 2, 200)).toBe(2);
    expect(nextTick(0, 100, 2, 200.1)).toBe(3);
    expect(nextTick(1_000, 100, 1, 1_750)).toBe(8);
  });

  it('never overlap, never come early and never come twice for one time, whatever they take', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 130 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 2_000 }),
        async (everyMs, lasts, stopMs) => {
          const scene = new LoopScene();
          const starts: number[] = [];
          let running = 0;
          const loop = scene.work(
            async () => {
              running += 1;
              expect(running).toBe(1);
              expect(scene.gate.requested).toBe(false);
              starts.push(scene.clock.monotonicMs() - scene.startMs);
              await scene.clock.sleep(lasts[starts.length % lasts.length] ?? 0);
              running -= 1;
            },
            { everyMs },
          );
          await scene.clock.advance(stopMs);
          scene.gate.requestShutdown('stop');
          await scene.clock.advance(200);
          expect(loop.end).toBe('shutdown');
          const slots = starts.map((ms) => ms / everyMs);
          expect(slots.every((slot) => Number.isInteger(slot))).toBe(true);
          expect(new Set(slots).size).toBe(slots.length);
        },
      ),
      { seed: fcSeed, numRuns: 100 },
    );
  });
});

describe('items', () => {
  async function* feed(scene: LoopScene, signal?: AbortSignal): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n += 1) {
        yield n;
        await scene.clock.sleep(100, signal);
      }
    } finally {
      scene.note('closed');
    }
  }

  it('are handed on one at a time, from both kinds of iterables, to the end', async () => {
    const scene = new LoopScene();
    const seen: unknown[] = [];
    const one = scene.over([1, 2, 3], async (item, signal) => {
      expect(signal.aborted).toBe(false);
      await settled();
      seen.push(item);
    });
    await one.promise;
    const two = scene.over([Promise.resolve(4)], (item) => void seen.push(item));
    await scene.clock.advance(0);
    expect([seen, one.end, two.end, scene.gate.requested]).toEqual([[1, 2, 3, 4], 'itself', 'itself', false]);
  });

  it('stop with the shutdown, after the one in hand, and the source is closed before the loop has returned', async () => {
    const scene = new LoopScene();
    const loop = scene.over(feed(scene), async (item) => {
      scene.note(`item ${item}`);
      await scene.clock.sleep(30);
    });
    await scene.clock.advance(140);
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(19);
    expect(loop.end).toBe('open');
    await scene.clock.advance(1);
    expect([loop.end, scene.seen]).toEqual(['shutdown', ['item 0 @ 0', 'item 1 @ 130', 'closed @ 160']]);
  });

  it('S1: of a source that ignores the shutdown are dropped, and nobody waits for it', async () => {
    const scene = new LoopScene();
    const handed: number[] = [];
    const loop = scene.over(feed(scene), (item) => void handed.push(item));
    await scene.clock.advance(150);
    scene.gate.requestShutdown('SIGTERM');
    await settled();
    expect([loop.end, handed]).toEqual(['shutdown', [0, 1]]);
    await scene.clock.advance(1_000);
    expect([handed, scene.seen]).toEqual([[0, 1], ['closed @ 200']]);
  });

  it('that come in the same moment as the shutdown are dropped', async () => {
    const scene = new LoopScene();
    const call = openCall<IteratorResult<number>>();
    const loop = scene.over({ [Symbol.asyncIterator]: () => ({ next: () => call.promise }) }, (item) => scene.note(`item ${item}`));
    call.resolve({ done: false, value: 1 });
    scene.gate.requestShutdown('SIGTERM');
    await settled();
    expect([loop.end, scene.seen]).toEqual(['shutdown', []]);
  });

  it('S1: are dropped in whatever turn the shutdown comes after their source gave one', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const scene = new LoopScene();
      const call = openCall<IteratorResult<number>>();
      const loop = scene.over({ [Symbol.asyncIterator]: () => ({ next: () => call.promise }) }, () =>
        expect(scene.gate.requested, `${turns} turns`).toBe(false),
      );
      await settled();
      call.resolve({ done: false, value: 1 });
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      scene.gate.requestShutdown('SIGTERM');
      await scene.clock.advance(0);
      expect([loop.end, loop.error]).toEqual(['shutdown', undefined]);
    }
  });

  it('whose source hangs or throws while it is closed end their loop all the same', async () => {
    const scene = new LoopScene();
    const source = (close: () => Promise<never>) => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false as const, value: 1 }), return: close }),
    });
    const busy = () => scene.clock.sleep(10);
    const hangs = scene.over(
      source(() => new Promise(() => undefined)),
      busy,
    );
    const rejects = scene.over(
      source(() => Promise.reject(new Error('no'))),
      busy,
    );
    const throws = scene.over(
      source(() => {
        throw new Error('no');
      }),
      busy,
    );
    await scene.clock.advance(5);
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(5);
    expect([rejects.end, throws.end, hangs.end]).toEqual(['shutdown', 'shutdown', 'open']);
    await scene.clock.advance(SOURCE_CLOSE_MS);
    expect(hangs.end).toBe('shutdown');
  });

  it('are gone on with after a refused order; any other throw asks for the shutdown, and closes the source', async () => {
    const scene = new LoopScene();
    const seen: number[] = [];
    const loop = scene.over(feed(scene), (item) => {
      seen.push(item);
      throw item < 2 ? new OrderRefusedError(refusalOf('trading_halted')) : new Error('no');
    });
    await scene.clock.advance(1_000);
    expect([seen, scene.gate.requested, loop.error, scene.seen]).toEqual([[0, 1, 2], true, new Error('no'), ['closed @ 200']]);
  });

  it.each([undefined, 'continue'] as const)(
    'whose source fails ask for the shutdown: a dead feed must not look like a quiet end (%s)',
    async (onError) => {
      const scene = new LoopScene();
      const source = {
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('feed is down')) }),
      };
      const loop = scene.over(source, () => undefined, onError === undefined ? {} : { onError });
      await scene.clock.advance(0);
      expect([scene.gate.reason, loop.error]).toEqual(['loop loop failed: feed is down', new Error('feed is down')]);
    },
  );

  it('whose source cannot even be opened ask for the shutdown', async () => {
    const scene = new LoopScene();
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => {
        throw new Error('no feed');
      },
    };
    const loop = scene.over(source, () => undefined, { name: 'feed' });
    await scene.clock.advance(0);
    expect([scene.gate.reason, loop.error, scene.loops()]).toEqual(['loop feed failed: no feed', new Error('no feed'), undefined]);
  });

  it('that come without a pause let the loop of events come round, so that a signal can be heard', async () => {
    const scene = new LoopScene();
    function* endless(): Generator<number> {
      for (let n = 0; ; n += 1) yield n;
    }
    let handled = 0;
    const loop = scene.over(endless(), () => {
      handled += 1;
      if (handled > 100_000) throw new Error('starved');
      void scene.clock.stall(1);
    });
    await settled();
    expect(handled).toBe(BREATH_MS);
    await scene.clock.advance(0);
    expect(handled).toBeGreaterThan(BREATH_MS);
    scene.gate.requestShutdown('SIGTERM');
    await scene.clock.advance(0);
    expect(loop.end).toBe('shutdown');
  });

  it('that come with pauses keep no process alive by themselves', async () => {
    const scene = new LoopScene();
    const kept: unknown[] = [];
    const setTimer: Clock['setTimer'] = (delayMs, fire, options) => {
      kept.push(options?.keepAlive);
      return scene.clock.setTimer(delayMs, fire);
    };
    const clock: Clock = { ...scene.clock, setTimer, monotonicMs: () => scene.clock.monotonicMs() };
    const end = runOver(
      () => ({ ...scene.place(), clock }),
      feed(scene),
      () => undefined,
      {},
    );
    await scene.clock.advance(500);
    expect(kept.length).toBeGreaterThan(0);
    expect(new Set(kept)).toEqual(new Set([false]));
    scene.gate.requestShutdown('end');
    await scene.clock.advance(100);
    expect(await end).toEqual({ endedBy: 'shutdown' });
  });

  it('of a source that was not asked for one yet are not asked for, and it is closed before the loop has returned', async () => {
    const scene = new LoopScene();
    let asked = 0;
    const iterator = {
      next: () => {
        asked += 1;
        return new Promise<never>(() => undefined);
      },
      return: async () => {
        await scene.clock.sleep(30);
        return { done: true as const, value: undefined };
      },
    };
    const loop = scene.over({ [Symbol.asyncIterator]: () => iterator }, () => undefined);
    scene.gate.requestShutdown('at once');
    await scene.clock.advance(29);
    expect([loop.end, asked]).toEqual(['open', 0]);
    await scene.clock.advance(1);
    expect(loop.end).toBe('shutdown');
  });

  it('that come with pauses cost no pause more', async () => {
    const scene = new LoopScene();
    const loop = scene.over(feed(scene), () => scene.note('item'));
    await scene.clock.advance(1_000);
    expect(scene.seen.map((line) => Number(line.split(' ').at(-1)))).toEqual(Array.from({ length: 11 }, (_, index) => index * 100));
    scene.gate.requestShutdown('end');
    await settled();
    expect(loop.end).toBe('shutdown');
  });

  it('S1: any source, any pace, any stop: items in order, one at a time, none after the stop', async () => {
    const spec = fc.array(fc.record({ gapMs: fc.integer({ min: 0, max: 40 }), takesMs: fc.integer({ min: 0, max: 40 }) }), {
      maxLength: 15,
    });
    await fc.assert(
      fc.asyncProperty(spec, fc.integer({ min: 0, max: 600 }), fc.boolean(), async (items, stopMs, heeds) => {
        const scene = new LoopScene();
        async function* source(): AsyncGenerator<number> {
          for (const [index, { gapMs }] of items.entries()) {
            await scene.clock.sleep(gapMs, heeds ? scene.gate.signal : undefined);
            yield index;
          }
        }
        const handed: number[] = [];
        let running = 0;
        const loop = scene.over(source(), async (item) => {
          expect([running, scene.gate.requested]).toEqual([0, false]);
          running += 1;
          handed.push(item);
          await scene.clock.sleep(items[item]?.takesMs ?? 0);
          running -= 1;
        });
        await scene.clock.advance(stopMs);
        scene.gate.requestShutdown('stop');
        await scene.clock.advance(41);
        expect(loop.end).toBe(handed.length === items.length ? loop.end : 'shutdown');
        expect(loop.end).not.toBe('open');
        expect(handed).toEqual(items.map((_item, index) => index).slice(0, handed.length));
      }),
      { seed: fcSeed, numRuns: 100 },
    );
  });
});

describe('wrong use', () => {
  const scene = new LoopScene();
  it.each([
    ['onError', () => runUntilShutdown(() => undefined, { onError: 'stop' as never })],
    ['name', () => runUntilShutdown(() => undefined, { name: ' ' })],
    ['everyMs', () => runUntilShutdown(() => undefined, { everyMs: 0 })],
    ['everyMs', () => runUntilShutdown([], () => undefined, { everyMs: 10 } as never)],
    ['evryMs', () => runUntilShutdown(() => undefined, { evryMs: 10 } as never)],
    ['options', () => runUntilShutdown(() => undefined, null as never)],
    ['options', () => runUntilShutdown(() => undefined, (() => undefined) as never)],
    ['items', () => runUntilShutdown(null as never, () => undefined)],
    ['items', () => runUntilShutdown({} as never, () => undefined)],
    ['items', () => runUntilShutdown('items' as never, () => undefined)],
    ['items', () => runUntilShutdown(undefined as never, () => undefined)],
    ['handle', () => runUntilShutdown([1], undefined as never)],
    ['options', () => runUntilShutdown([1], () => undefined, null as never)],
  ])('is refused by the name of %s (%#)', (field, call) => {
    expect(call).toThrow(expect.objectContaining({ name: ConfigurationError.name, field }));
    expect(scene.gate.requested).toBe(false);
  });
});

it.each<[string, () => unknown]>([
  ['options = null: must be an object', () => runUntilShutdown(() => undefined, null as never)],
  ['items = 5: must be a function, an iterable or an async iterable', () => runUntilShutdown(5 as never, () => undefined)],
  ['handle = null: must be the function that is handed each item', () => runUntilShutdown([1], null as never)],
  ['everyMs = 0: must be a finite number between 1 and 2147483647', () => runUntilShutdown(() => undefined, { everyMs: 0 })],
])('says field, value and bound: %s', (message, call) => {
  expect(call).toThrow(message);
});

describe('of the process', () => {
  beforeEach(resetProcessShutdown);
  afterEach(resetProcessShutdown);

  it('all forms end with the process-wide gate, and the hooks run', async () => {
    const seen: unknown[] = [];
    onShutdown(({ reason }) => void seen.push(reason));
    const loops = [
      runUntilShutdown((signal) => abortable(signal)),
      runUntilShutdown((signal) => void seen.push(signal.aborted), { everyMs: 60_000, name: 'ticks' }),
      runUntilShutdown([1], async (item, signal) => {
        seen.push(item);
        await abortable(signal);
      }),
    ];
    await settled();
    requestShutdown('enough');
    expect(await Promise.all(loops)).toEqual([{ endedBy: 'shutdown' }, { endedBy: 'shutdown' }, { endedBy: 'shutdown' }]);
    await settled();
    expect(seen).toEqual([false, 1, 'enough']);
    expect(shutdownGate.requested).toBe(true);
  });
});
