/** The engine injects what it was asked for, nothing when it is not armed, and believes only in recoveries that were seen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CHAOS_BEHAVIOURS,
  CHAOS_TYPES,
  type ChaosBehaviour,
  type ChaosConfig,
  ChaosEngine,
  type ChaosInjection,
  type ChaosType,
  chaos,
  chaosContext,
  isInjected,
} from '../../../src/chaos/index.js';
import { ConfigurationError, messageOf, systemCodeOf } from '../../../src/errors.js';
import { ManualClock } from '../../../src/testing/manualClock.js';

const ALWAYS = { armed: true, failureRate: 1, seed: 7 } as const;

/** What a caller saw of each call, on a clock of the test's own. */
async function outcomesOf(clock: ManualClock, calls: readonly (() => Promise<unknown>)[], forMs: number): Promise<string[]> {
  const seen: string[] = calls.map(() => 'no answer');
  for (const [index, call] of calls.entries()) {
    void call().then(
      (value) => {
        seen[index] = `answer ${String(value)}`;
      },
      (error: unknown) => {
        seen[index] = systemCodeOf(error) ?? messageOf(error);
      },
    );
  }
  await clock.advance(forMs);
  return seen;
}

function counter() {
  const effects: number[] = [];
  const send = async (value: number): Promise<number> => {
    effects.push(value);
    return value * 10;
  };
  return { effects, send };
}

function armed(config: ChaosConfig) {
  const clock = new ManualClock();
  const engine = chaosContext({ ...ALWAYS, clock, ...config });
  const { effects, send } = counter();
  return { clock, engine, effects, send: engine.wrap(send) };
}

describe('an engine that is not armed', () => {
  it('injects nothing, also where every call should be hit, and its run has failed', async () => {
    const { effects, send } = counter();
    const engine = new ChaosEngine({ failureRate: 1 });
    const wrapped = engine.wrap(send);
    const result = await engine.run(async () => expect(await wrapped(4)).toBe(40));
    expect(effects).toEqual([4]);
    expect(result).toMatchObject({ verdict: 'failed', totalInjections: 0, calls: 0, recoveryRate: undefined, crashCount: 0 });
    expect(result.problems).toEqual(['the engine was not armed']);
  });
});

describe('a wrapped function', () => {
  it('keeps its name, its number of parameters, its receiver and its result', async () => {
    const account = {
      balance: 5,
      async plus(amount: number, _unit: string): Promise<number> {
        return this.balance + amount;
      },
    };
    const plus = chaos(account.plus, { armed: true, failureRate: 0 });
    expect(plus.name).toBe('plus');
    expect(plus.length).toBe(2);
    expect(await plus.call(account, 3, 'EUR')).toBe(8);
  });

  it('rejects with what the function throws at once', async () => {
    const fails = (): Promise<number> => {
      throw new Error('own');
    };
    await expect(chaos(fails, { armed: true, failureRate: 0 })()).rejects.toThrow('own');
  });
});

describe('behaviours', () => {
  const run = async (behaviour: ChaosBehaviour, type: ChaosType, config: ChaosConfig = {}) => {
    const setting = armed({ types: [type], behaviours: [behaviour], ...config });
    const seen = await outcomesOf(setting.clock, [() => setting.send(1), () => setting.send(2)], 500);
    return { ...setting, seen };
  };

  it('error: fails before there was an effect, as the system would', async () => {
    for (const type of CHAOS_TYPES.filter((candidate) => candidate !== 'timeout')) {
      const { seen, effects } = await run('error', type);
      expect(effects, type).toEqual([]);
      for (const answer of seen) expect(answer, type).toMatch(/^(E[A-Z_]+|Array buffer allocation failed.*)$/);
    }
  });

  it('latency: begins late, by what was asked for, and answers', async () => {
    const { clock, effects, send } = armed({ types: ['network'], behaviours: ['latency'], latencyMs: 100 });
    const answer = send(1);
    await clock.advance(49);
    expect(effects).toEqual([]);
    await clock.advance(51);
    expect(effects).toEqual([1]);
    expect(await answer).toBe(10);
  });

  it('hang: neither answer nor effect until its time is up, and then an error', async () => {
    const { seen, effects, clock } = await run('hang', 'timeout', { hangMs: 1_000 });
    expect(seen).toEqual(['no answer', 'no answer']);
    await clock.advance(1_000);
    expect(seen).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    expect(effects).toEqual([]);
  });

  it('hang: ends with the duration, and with the engine', async () => {
    const whole = await run('hang', 'timeout', { durationMs: 900 });
    await whole.clock.advance(500);
    expect(whole.seen).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    const closed = await run('hang', 'timeout');
    await Promise.all([closed.engine.close(), closed.clock.advance(0)]);
    expect(closed.seen).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
  });

  it('effect-then-timeout: the effect is there, the answer is lost', async () => {
    const { seen, effects } = await run('effect-then-timeout', 'network');
    expect(effects).toEqual([1, 2]);
    expect(seen).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  it('duplicate: two effects, one answer', async () => {
    const { seen, effects, engine } = await run('duplicate', 'network');
    expect(effects.toSorted((left, right) => left - right)).toEqual([1, 1, 2, 2]);
    expect(seen).toEqual(['answer 10', 'answer 20']);
    expect(engine.result().totalInjections).toBe(2);
  });

  it('reorder: a later call goes first; where none comes it did not take place', async () => {
    const overtaken = await run('reorder', 'network', { atCalls: [1] });
    expect(overtaken.effects).toEqual([2, 1]);
    expect(overtaken.engine.result()).toMatchObject({ totalInjections: 1 });
    const alone = armed({ types: ['network'], behaviours: ['reorder'] });
    expect(await outcomesOf(alone.clock, [() => alone.send(1)], 300)).toEqual(['answer 10']);
    expect(alone.engine.result()).toMatchObject({ totalInjections: 0, problems: ['nothing was injected in 1 calls'] });
  });

  it('outcome: the answer that the target makes up, and no effect', async () => {
    const { effects, send } = counter();
    const wrapped = chaos(send, { ...ALWAYS, types: ['disk_io'], behaviours: ['outcome'] }, { outcome: (value) => -value });
    expect(await wrapped(3)).toBe(-3);
    expect(effects).toEqual([]);
  });

  it('passes on an error of the function itself as what it is, and counts no injection', async () => {
    const engine = new ChaosEngine({ ...ALWAYS, types: ['network'], behaviours: ['effect-then-timeout'] });
    const wrapped = engine.wrap(async () => Promise.reject(new Error('own')));
    const caught: unknown = await wrapped().catch((error: unknown) => error);
    expect(messageOf(caught)).toBe('own');
    expect(isInjected(caught)).toBe(false);
    expect(engine.result().totalInjections).toBe(0);
  });
});

describe('chance', () => {
  const kindsOf = (injections: readonly ChaosInjection[]) =>
    injections.map(({ targetFunction, call, chaosType, behaviour }) => `${targetFunction} ${call} ${chaosType} ${behaviour}`);

  const drawn = async (config: ChaosConfig, order: readonly ('buy' | 'sell')[]) => {
    const clock = new ManualClock();
    const engine = new ChaosEngine({ ...config, armed: true, clock, hangMs: 1, latencyMs: 2 });
    const targets = {
      buy: engine.wrap(async () => 1, { name: 'buy' }),
      sell: engine.wrap(async () => 2, { name: 'sell' }),
    };
    await outcomesOf(
      clock,
      order.map((name) => targets[name]),
      10,
    );
    return kindsOf(engine.result().injections).toSorted();
  };

  it('the same seed and the same calls give the same faults, whatever lies between the calls of a target', async () => {
    const order = fc.array(fc.constantFrom('buy' as const, 'sell' as const), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(order, fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), async (calls, seed, failureRate) => {
        const config = { seed, failureRate };
        expect(await drawn(config, calls)).toEqual(await drawn(config, calls.toSorted()));
      }),
      { numRuns: 100 },
    );
  });

  it('another seed gives other faults', async () => {
    const order = Array.from({ length: 40 }, () => 'buy' as const);
    expect(await drawn({ seed: 1, failureRate: 0.5 }, order)).not.toEqual(await drawn({ seed: 2, failureRate: 0.5 }, order));
  });

  it('hits the share of calls that was asked for', async () => {
    for (const failureRate of [0, 0.1, 0.3, 0.7, 1]) {
      const engine = new ChaosEngine({ armed: true, failureRate, seed: 3, types: ['memory'], maxInjections: 5_000 });
      const send = engine.wrap(async () => 1);
      await Promise.allSettled(Array.from({ length: 4_000 }, () => send()));
      // Six standard deviations of 4,000 draws at their widest.
      expect(Math.abs(engine.result().totalInjections / 4_000 - failureRate)).toBeLessThan(0.048);
    }
  });

  it('uses every type and every behaviour of the menu', async () => {
    const clock = new ManualClock();
    const engine = new ChaosEngine({ ...ALWAYS, clock, hangMs: 1, latencyMs: 2 });
    const send = engine.wrap(async () => 1, { outcome: () => 0 });
    await outcomesOf(
      clock,
      Array.from({ length: 300 }, () => send),
      10,
    );
    const { injections } = engine.result();
    expect(new Set(injections.map(({ chaosType }) => chaosType))).toEqual(new Set(CHAOS_TYPES));
    expect(new Set(injections.map(({ behaviour }) => behaviour))).toEqual(new Set(CHAOS_BEHAVIOURS));
  });

  it('atCalls hits exactly those calls', async () => {
    const { clock, send } = armed({ types: ['memory'], atCalls: [2, 4], failureRate: 0 });
    const seen = await outcomesOf(
      clock,
      [1, 2, 3, 4, 5].map((value) => () => send(value)),
      1,
    );
    expect(seen.map((answer) => answer.startsWith('answer'))).toEqual([true, false, true, false, true]);
  });
});

describe('limits', () => {
  const errors = { types: ['disk_io'], behaviours: ['error'] } as const;

  it('never more than maxInjections', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 60 }), async (maxInjections, calls) => {
        const { effects, engine, send } = armed({ ...errors, maxInjections });
        await Promise.allSettled(Array.from({ length: calls }, (_, index) => send(index)));
        expect(engine.result().totalInjections).toBe(Math.min(calls, maxInjections));
        expect(effects).toHaveLength(Math.max(0, calls - maxInjections));
      }),
      { numRuns: 50 },
    );
  });

  it('nothing after its duration, and nothing after its close', async () => {
    const { clock, engine, send } = armed({ ...errors, durationMs: 1_000 });
    await clock.advance(999);
    await expect(send(1)).rejects.toThrow('injected');
    await clock.advance(1);
    expect(await send(2)).toBe(20);
    expect(engine.isActive).toBe(false);
    const closed = armed(errors);
    await closed.engine.close();
    expect(await closed.send(3)).toBe(30);
  });

  it('only the targets that are named; one that is never called fails the run', async () => {
    const engine = new ChaosEngine({ ...ALWAYS, ...errors, targets: ['sell', 'hedge'], recovered: () => true });
    const buy = engine.wrap(async () => 1, { name: 'buy' });
    const sell = engine.wrap(async () => 2, { name: 'sell' });
    const result = await engine.run(async () => {
      expect(await buy()).toBe(1);
      await expect(sell()).rejects.toThrow('injected at sell');
    });
    expect(result).toMatchObject({ verdict: 'failed', totalInjections: 1, problems: ['target hedge was never called'] });
  });

  it('injects no more once the error budget is used up', async () => {
    const clock = new ManualClock();
    const engine = new ChaosEngine({ ...ALWAYS, ...errors, clock, errorBudget: 0.5, recovered: () => false, recoveryTimeoutMs: 20 });
    const send = engine.wrap(async () => 1);
    for (let call = 0; call < 100; call++) {
      await send().catch(() => undefined);
      await clock.advance(40);
    }
    expect(engine.result()).toMatchObject({ totalInjections: 20, successfulRecoveries: 0 });
    expect(engine.isActive).toBe(false);
  });

  it.each([
    ['failureRate', { failureRate: 1.5 }],
    ['failureRate', { failureRate: Number.NaN }],
    ['failureRate', { failureRate: -0.1 }],
    ['durationMs', { durationMs: 0 }],
    ['maxInjections', { maxInjections: 0 }],
    ['errorBudget', { errorBudget: 2 }],
    ['types', { types: [] }],
    ['atCalls', { atCalls: [0] }],
    ['seed', { seed: '' }],
    ['seed', { seed: Number.NaN }],
    ['targets', { targets: [''] }],
  ] satisfies readonly (readonly [string, ChaosConfig])[])('refuses a wrong %s: %j', (field, config) => {
    expect(() => new ChaosEngine(config)).toThrow(expect.objectContaining({ field }) as Error);
  });

  it('refuses behaviours that leave a type nothing to do', () => {
    const engine = new ChaosEngine({ types: ['memory'], behaviours: ['hang'] });
    expect(() => engine.wrap(async () => 1)).toThrow(ConfigurationError);
  });
});

describe('a run', () => {
  const errors = { types: ['disk_io'], behaviours: ['error'] } as const;

  it('passes where each injection was seen to recover', async () => {
    const stored = new Set<number>();
    const { clock, engine } = armed({
      ...errors,
      failureRate: 0.5,
      recovered: ({ args: [key] }) => typeof key === 'number' && stored.has(key),
    });
    const write = engine.wrap(async (key: number) => void stored.add(key), { name: 'write' });
    const running = engine.run(async () => {
      for (let key = 0; key < 40; key++) {
        for (let attempt = 0; attempt < 20 && !stored.has(key); attempt++) await write(key).catch(() => undefined);
      }
    });
    await clock.advance(10_000);
    const result = await running;
    expect(result).toMatchObject({ verdict: 'passed', problems: [], recoveryRate: 1, crashCount: 0, failedRecoveries: 0, seed: 7 });
    expect(result.totalInjections).toBeGreaterThan(10);
    expect(result.recoveryRateAtLeast).toBeLessThan(1);
  });

  it('sees a recovery when it comes, not before', async () => {
    let isUp = false;
    const { clock, engine, send } = armed({ ...errors, recovered: () => isUp });
    const running = engine.run(() => send(1).catch(() => undefined));
    await clock.advance(70);
    expect(engine.result()).toMatchObject({ totalInjections: 1, successfulRecoveries: 0 });
    isUp = true;
    await clock.advance(10);
    const [injection] = (await running).injections;
    expect(injection).toMatchObject({ systemRecovered: true, recoveryMs: 80, chaosType: 'disk_io', targetFunction: 'send', round: 1 });
  });

  it('scores 0 where the subject loses every write', async () => {
    const { clock, engine, send } = armed({ ...errors, recovered: () => false, errorBudget: 1 });
    const running = engine.run(() => Promise.allSettled(Array.from({ length: 200 }, (_, index) => send(index))));
    await clock.advance(20_000);
    expect(await running).toMatchObject({ totalInjections: 200, recoveryRate: 0, recoveryRateAtLeast: 0, failedRecoveries: 200 });
  });

  it('fails where nobody looked', async () => {
    const { engine, send } = armed(errors);
    const result = await engine.run(() => send(1).catch(() => undefined));
    expect(result).toMatchObject({ verdict: 'failed', recoveryRate: 0 });
    expect(result.problems).toEqual(['nobody looked for a recovery: there is no recovery predicate']);
  });

  it('tells why where the look itself fails', async () => {
    const { clock, engine, send } = armed({ ...errors, recovered: () => Promise.reject(new Error('no database')), errorBudget: 1 });
    const running = engine.run(() => send(1).catch(() => undefined));
    await clock.advance(6_000);
    expect((await running).injections[0]?.errorMessage).toContain('the look at it failed: no database');
  });

  it('fails where nothing was injected', async () => {
    const { engine, send } = armed({ ...errors, failureRate: 0, recovered: () => true });
    const result = await engine.run(() => send(1));
    expect(result).toMatchObject({ verdict: 'failed', recoveryRate: undefined, problems: ['nothing was injected in 1 calls'] });
  });

  it('keeps a crash with the injections of its round, and goes on', async () => {
    const { clock, engine, send } = armed({ ...errors, atCalls: [2], recovered: () => true });
    const running = engine.run(
      async (round) => {
        await send(round);
        if (round === 3) throw new Error('a bug of its own');
      },
      { rounds: 4 },
    );
    await clock.advance(1_000);
    const result = await running;
    expect(result).toMatchObject({ verdict: 'failed', crashCount: 2, calls: 4, totalInjections: 1 });
    expect(result.crashes).toEqual([
      { round: 2, errorMessage: expect.stringContaining('injected at send') as string, wasInjected: true, injections: [1] },
      { round: 3, errorMessage: 'a bug of its own', wasInjected: false, injections: [] },
    ]);
  });

  it('gives way between rounds: a test that never waits ends with a timer, and its faults are looked at', async () => {
    const engine = new ChaosEngine({ ...ALWAYS, maxInjections: 40, types: ['memory'], recovered: () => true });
    const send = engine.wrap(async () => 1, { name: 'send' });
    let recoveredBefore = 0;
    const result = await engine.run(
      async () => {
        recoveredBefore = Math.max(recoveredBefore, engine.result().successfulRecoveries);
        await send().catch(() => undefined);
      },
      { rounds: 1_000 },
    );
    expect(result).toMatchObject({ verdict: 'passed', totalInjections: 40 });
    expect(recoveredBefore).toBeGreaterThan(0);
  });

  it('ends where the test never does, and calls that a crash', async () => {
    const { clock, engine, send } = armed({ ...errors, durationMs: 1_000, recoveryTimeoutMs: 500, recovered: () => true });
    const running = engine.run(async () => {
      await send(1).catch(() => undefined);
      return new Promise(() => {});
    });
    await clock.advance(2_000);
    expect(await running).toMatchObject({ verdict: 'failed', crashCount: 1, totalInjections: 1 });
  });
});
