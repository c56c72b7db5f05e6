/** The storm at failflat's own halt and panic, at subjects that lose what they should keep, and what its options do. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../../src/bus/bus.js';
import { createMemoryBus } from '../../../src/bus/memory.js';
import { chaosBus } from '../../../src/chaos/index.js';
import { storm } from '../../../src/chaos/storm/command.js';
import { haltAndPanic } from '../../../src/chaos/storm/haltAndPanic.js';
import { DEFAULT_STORM, parseChaosTypes, type StormOptions } from '../../../src/chaos/storm/options.js';
import { runStorm } from '../../../src/chaos/storm/run.js';
import type { StormSubject } from '../../../src/chaos/storm/subject.js';
import { ConfigurationError } from '../../../src/errors.js';
import type { Output } from '../../../src/process/output.js';
import { ManualClock } from '../../../src/testing/manualClock.js';

const ALL = ['network', 'disk_io', 'timeout', 'memory', 'process'] as const;

/** Moves a clock of its own until the storm is over: an hour of it takes seconds. */
async function blow(subjectOn: (clock: ManualClock) => StormSubject, options: Partial<StormOptions> = {}) {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const blown = { isOver: false };
  const running = runStorm(
    subjectOn(clock),
    { types: ALL, failureRate: 0.3, seed: 1, durationMs: 3_600_000, maxInjections: 220, ...options },
    { clock, signal },
  ).finally(() => {
    blown.isOver = true;
  });
  while (!blown.isOver) await clock.advance(100);
  return running;
}

/** Sends orders to a bus, as often as it is told to, and looks at what really stands there. */
const writes = (attempts: number): ((clock: ManualClock) => StormSubject) => {
  return (clock) => ({
    name: `orders that are sent ${attempts} times at most`,
    open(engine) {
      const memory = createMemoryBus({ clock });
      const observer: Bus = memory.handle();
      const bus = chaosBus(memory.handle(), engine);
      return {
        async operation(round) {
          for (let attempt = 0; attempt < attempts; attempt++) {
            const sent = await bus.append('orders', { v: String(round) }, { idempotencyKey: String(round) });
            if (sent.outcome !== 'unknown' && !(sent.outcome === 'refused' && sent.reason !== 'duplicate')) return;
          }
        },
        async recovered({ round }) {
          const { records } = await observer.read('orders', FROM_START, { limit: 10_000 });
          return records.filter(({ fields }) => fields['v'] === String(round)).length === 1;
        },
      };
    },
  });
};

describe('a storm', () => {
  it('S6, S7: with 30 % of all calls failing, more than 200 times, halt and panic stand in the end, and nothing crashes', async () => {
    const result = await blow(haltAndPanic);
    expect(result.problems).toEqual([]);
    expect(result).toMatchObject({ verdict: 'passed', crashCount: 0 });
    expect(result.totalInjections).toBeGreaterThanOrEqual(200);
    expect(result.recoveryRateAtLeast).toBeGreaterThanOrEqual(0.85);
    expect(Object.keys(result.injectionsByType).toSorted()).toEqual(ALL.toSorted());
  });

  it('scores a subject by what it does: every write lost is 0 %, and some retries are somewhere between', async () => {
    // Few, because each look at a write that is lost is waited for to the end.
    const errors = { types: ['memory', 'process'], maxInjections: 30 } as const;
    const [lost, once, often] = [await blow(writes(1), errors), await blow(writes(2), errors), await blow(writes(9), errors)];
    // An append that fails without an effect and is never sent again: none of them recovers, and the budget ends the storm.
    expect(lost).toMatchObject({ verdict: 'failed', recoveryRate: 0, recoveryRateAtLeast: 0 });
    expect(once.recoveryRate).toBeGreaterThan(0.2);
    expect(once.recoveryRate).toBeLessThan(0.95);
    expect(often).toMatchObject({ verdict: 'passed', crashCount: 0 });
    expect(often.recoveryRate).toBe(1);
  });

  it('ends with its duration, and a type that never fell has failed it', async () => {
    const result = await blow(writes(9), { durationMs: 500, failureRate: 0, types: ['memory'] });
    expect(result).toMatchObject({ verdict: 'failed', totalInjections: 0 });
    expect(result.problems.at(-1)).toBe('never injected: memory');
  });

  it('the same seed gives the same storm', async () => {
    const kinds = async (seed: number) =>
      (await blow(haltAndPanic, { seed, maxInjections: 40 })).injections.map(({ targetFunction, call, behaviour }) => ({
        targetFunction,
        call,
        behaviour,
      }));
    expect(await kinds(5)).toEqual(await kinds(5));
    expect(await kinds(5)).not.toEqual(await kinds(6));
  });
});

describe('chaos types as people write them', () => {
  it('disk is disk_io; each is taken once', () => {
    expect(parseChaosTypes('network, disk,disk_io')).toEqual(['network', 'disk_io']);
  });

  it.each(['', ' , ', 'network,cpu'])('refuses %j', (written) => {
    expect(() => parseChaosTypes(written)).toThrow(ConfigurationError);
  });
});

describe('the command', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'failflat-storm-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const run = async (options: Partial<StormOptions>, json = false) => {
    const lines: string[] = [];
    const output: Output = { colours: false, out: (line) => lines.push(line), err: (line) => lines.push(line) };
    const clock = new ManualClock();
    const all: StormOptions = {
      types: ['memory'],
      failureRate: 0.3,
      seed: 4,
      durationMs: DEFAULT_STORM.durationMs,
      maxInjections: 30,
      reportFile: join(directory, 'deep', 'report.md'),
      verbose: false,
      ...options,
    };
    const ended = { isOver: false };
    const running = storm(all, { output, clock, signal: new AbortController().signal, json }).finally(() => {
      ended.isOver = true;
    });
    running.catch(() => undefined);
    while (!ended.isOver) await clock.advance(100);
    return { code: await running, said: lines.join('\n'), written: await readFile(all.reportFile, 'utf8') };
  };

  it('prints the report and writes it, with the command that makes it again', async () => {
    const { code, said, written } = await run({});
    expect(code).toBe(0);
    expect(said).toContain('**Total Injections**: 30 (memory 30)');
    expect(said).not.toContain('| 1 |');
    expect(written).toContain('| 1 |');
    expect(written).toContain(
      'failflat chaos storm --chaos-types memory --failure-rate 0.3 --seed 4 --duration 60000ms --max-injections 30',
    );
  });

  it('prints every injection when it is asked to, and JSON for programs', async () => {
    expect((await run({ verbose: true })).said).toContain('| 30 |');
    const { said } = await run({}, true);
    expect(JSON.parse(said)).toMatchObject({ verdict: 'passed', totalInjections: 30, subject: 'a halt and a panic_close on a bus' });
  });

  it('is red where nothing recovers', async () => {
    const subject = join(directory, 'lossy.mjs');
    await writeFile(
      subject,
      `export default { name: 'lossy', open: (engine) => {
        const send = engine.wrap(async () => {}, { name: 'send' });
        return { operation: () => send().catch(() => {}), recovered: () => false };
      } };`,
    );
    const { code, said } = await run({ subject, maxInjections: 3 });
    expect(code).toBe(1);
    expect(said).toContain('**Recovery Rate**: 0.0 %');
  });

  it.each([
    ['a module that is none', 'subject', { subject: './no-such-subject.mjs' }],
    ['a place that cannot be written', 'outputReport', { reportFile: '/dev/null/report.md' }],
  ])('refuses %s', async (_name, field, options) => {
    await expect(run(options)).rejects.toMatchObject({ field });
  });
});
