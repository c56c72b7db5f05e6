/** Hooks: the last first, each in its time, none in another's way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantExit } from '../../src/process/gates.js';
import { type HookOutcome, type HookRun, HookStack, type ShutdownContext, shareOf } from '../../src/process/hooks.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import type { ExitPermit } from '../../src/shutdownGate/protocol.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';
import { Scene } from './support.js';

const REPORT = { drained: true, waitedMs: 0, unfinished: [], inflightElsewhere: 0 };

class Stage {
  readonly clock = new ManualClock();
  readonly stack = new HookStack(this.clock);
  readonly gates = [createShutdownGate(), createShutdownGate()];
  readonly startMs = this.clock.monotonicMs();
  readonly failures: unknown[] = [];
  readonly begun: string[] = [];
  readonly ended: [string, HookOutcome][] = [];

  get atMs(): number {
    return this.clock.monotonicMs() - this.startMs;
  }

  add(name: string, timeoutMs: number, hook: (context: ShutdownContext) => unknown = () => undefined): () => void {
    return this.stack.add({
      name,
      timeoutMs,
      hook: (context) => {
        this.begun.push(`${name} @ ${this.atMs}`);
        return hook(context);
      },
    });
  }

  honoured(permit: ExitPermit | undefined): boolean[] {
    return this.gates.map(({ protocol }) => permit !== undefined && protocol.honours(permit));
  }

  run(budgetMs = 100_000): Promise<void> {
    const run: HookRun = {
      reason: 'test',
      report: REPORT,
      untilMs: this.startMs + budgetMs,
      grant: () => grantExit(this.gates, (error) => this.failures.push(error)),
      ended: (name, outcome) => this.ended.push([name, outcome]),
    };
    return this.stack.runAll(run);
  }
}

describe('hooks', () => {
  it('S13: that throw, reject or hang stop none of the others', async () => {
    const stage = new Stage();
    stage.add('last', 100);
    stage.add('throws', 100, () => {
      throw new Error('no');
    });
    stage.add('rejects', 100, () => Promise.reject(new Error('no')));
    stage.add('hangs', 100, () => new Promise(() => undefined));
    // oxlint-disable-next-line unicorn/no-thenable -- as clients that are older than promises still answer
    stage.add('thenable', 100, () => ({ then: (resolve: () => void) => resolve() }));
    const run = stage.run();
    await stage.clock.advance(100);
    await run;
    expect(stage.begun).toEqual(['thenable @ 0', 'hangs @ 0', 'rejects @ 100', 'throws @ 100', 'last @ 100']);
    expect(stage.ended).toEqual([
      ['thenable', 'done'],
      ['hangs', 'abandoned'],
      ['rejects', 'failed'],
      ['throws', 'failed'],
      ['last', 'done'],
    ]);
    expect(stage.stack.unfinished()).toEqual(['hangs', 'rejects', 'throws']);
  });

  it('are told the reason, the report, their deadline, and hold the exit permit until they end', async () => {
    const stage = new Stage();
    let seen: ShutdownContext | undefined;
    let inTime: unknown;
    stage.add('hook', 1_000, async (context) => {
      seen = context;
      await stage.clock.sleep(999);
      inTime = [...stage.honoured(context.exitPermit), context.signal.aborted];
      await stage.clock.sleep(5);
    });
    const run = stage.run();
    await stage.clock.advance(999);
    expect(seen).toMatchObject({ reason: 'test', report: REPORT, deadlineMs: stage.startMs + 1_000 });
    expect(inTime).toEqual([true, true, false]);
    await stage.clock.advance(1);
    await run;
    expect([...stage.honoured(seen?.exitPermit), seen?.signal.aborted]).toEqual([false, false, true]);
  });

  it('do not run once they were unregistered; that comes too late for one that has begun', async () => {
    const stage = new Stage();
    stage.add('stays', 100);
    const gone = stage.add('gone', 100);
    const begun = stage.add('begun', 100, () => begun());
    gone();
    gone();
    await stage.run();
    begun();
    expect(stage.begun).toEqual(['begun @ 0', 'stays @ 0']);
    expect(stage.stack.unfinished()).toEqual([]);
  });

  it('registered while hooks run, or afterwards, run at once beside the others, and the end waits for them', async () => {
    const stage = new Stage();
    stage.add('older', 100);
    stage.add('outer', 1_000, async () => {
      stage.add('inner', 1_000, () => stage.clock.sleep(300));
      const cancelled = stage.add('cancelled', 100);
      cancelled();
      await stage.clock.sleep(100);
    });
    const run = stage.run();
    await stage.clock.advance(0);
    expect(stage.begun).toEqual(['outer @ 0', 'inner @ 0']);
    let over = false;
    void run.then(() => {
      over = true;
    });
    await stage.clock.advance(299);
    expect([over, stage.begun.at(-1), stage.stack.unfinished()]).toEqual([false, 'older @ 100', ['inner']]);
    await stage.clock.advance(1);
    expect([over, stage.stack.unfinished()]).toEqual([true, []]);
    await stage.clock.advance(200_000);
    const late = stage.add('late', 500, () => new Promise(() => undefined));
    await stage.clock.advance(499);
    late();
    expect([stage.begun.at(-1), stage.stack.unfinished(), stage.ended.at(-1)]).toEqual(['late @ 200300', ['late'], ['inner', 'done']]);
    await stage.clock.advance(1);
    expect(stage.ended.at(-1)).toEqual(['late', 'abandoned']);
  });

  it('registered when the budget has just been used up have all the time that they ask for', async () => {
    const stage = new Stage();
    await stage.run(1_000);
    await stage.clock.advance(1_000);
    stage.add('late', 500, () => stage.clock.sleep(499));
    await stage.clock.advance(500);
    expect(stage.ended).toEqual([['late', 'done']]);
  });

  it('registered late get what is left of the budget, and no more', async () => {
    const stage = new Stage();
    stage.add('outer', 100, () => void stage.add('inner', 5_000, () => new Promise(() => undefined)));
    const run = stage.run(1_000);
    await stage.clock.advance(1_000);
    await run;
    expect(stage.ended).toEqual([
      ['outer', 'done'],
      ['inner', 'abandoned'],
    ]);
  });

  it('that register themselves again for ever keep neither timers nor the end of the budget from coming', async () => {
    const stage = new Stage();
    let times = 0;
    const again = (): void => {
      times += 1;
      if (times > 100_000) throw new Error('the budget never ended');
      void stage.clock.setTimer(1, () => undefined);
      stage.add('again', 1, async () => {
        await stage.clock.sleep(1);
        again();
      });
    };
    stage.add('first', 100, again);
    const run = stage.run(50);
    await stage.clock.advance(50);
    await run;
    expect(times).toBeLessThan(60);
  });

  it('get the whole of their time while it reaches for all, and their part of it when it does not', () => {
    expect(shareOf(10_000, 2_000, 3_000)).toBe(2_000);
    expect(shareOf(1_000, 2_000, 6_000)).toBe(250);
    expect(shareOf(-5, 2_000, 0)).toBe(0);
  });

  const spec = fc.record({
    timeoutMs: fc.integer({ min: 1, max: 3_000 }),
    lastsMs: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 4_000 })),
    how: fc.constantFrom('returns', 'throws', 'rejects', 'waits', 'waits and rejects'),
    unregister: fc.boolean(),
  });

  it('S13, L5: any number of hooks that end well, late, badly or never: each begins once, the last first, within the budget', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(spec, { maxLength: 100 }), fc.integer({ min: 1, max: 10_000 }), async (specs, budgetMs) => {
        const stage = new Stage();
        const limits = new Map<string, number>();
        specs.forEach(({ timeoutMs, lastsMs, how, unregister }, index) => {
          const name = `hook-${index}`;
          const off = stage.add(name, timeoutMs, (context) => {
            limits.set(name, context.deadlineMs - stage.clock.monotonicMs());
            if (how === 'throws') throw new Error(how);
            if (how === 'returns') return how;
            if (how === 'rejects') return Promise.reject(new Error(how));
            const wait = lastsMs === undefined ? new Promise(() => undefined) : stage.clock.sleep(lastsMs);
            return how === 'waits' ? wait : wait.then(() => Promise.reject(new Error(how)));
          });
          if (unregister) off();
        });
        const expected = specs.map((_spec, index) => `hook-${index}`).filter((_name, index) => specs[index]?.unregister !== true);
        const run = stage.run(budgetMs);
        await stage.clock.advance(budgetMs + 1);
        await run;
        expect(stage.begun.map((line) => line.split(' ')[0])).toEqual(expected.toReversed());
        expect(stage.ended.map(([name]) => name)).toEqual(expected.toReversed());
        const lastsMs = stage.begun.at(-1)?.split(' @ ')[1];
        expect(Number(lastsMs ?? 0)).toBeLessThanOrEqual(budgetMs);
        for (const [name, outcome] of stage.ended) {
          const { timeoutMs = 0, how, lastsMs: takesMs } = specs[Number(name.slice('hook-'.length))] ?? {};
          const limitMs = limits.get(name) ?? Number.NaN;
          expect(limitMs).toBeLessThanOrEqual(timeoutMs);
          const waits = how === 'waits' || how === 'waits and rejects';
          const inTime = !waits || (takesMs !== undefined && takesMs < limitMs);
          if (how === 'throws' || how === 'rejects' || (how === 'waits and rejects' && inTime)) expect(outcome).toBe('failed');
          else if (inTime) expect(outcome).toBe('done');
          else if (takesMs === undefined || takesMs > limitMs) expect(outcome).toBe('abandoned');
        }
      }),
      { seed: fcSeed, numRuns: 200 },
    );
  });
});

it('a hundred hooks that all hang are all begun, and the process ends within its budget', async () => {
  const scene = new Scene();
  for (let n = 0; n < 100; n += 1) scene.lasting(`h${n}`, undefined, 2_000);
  scene.handle();
  scene.process.emit('SIGTERM');
  await scene.clock.advance(10_000);
  expect(scene.seen).toHaveLength(100);
  expect(scene.seen.map((line) => line.split(' ')[0])).toEqual(Array.from({ length: 100 }, (_, index) => `h${99 - index}`));
  expect(scene.process.ends).toEqual(['SIGTERM']);
});
