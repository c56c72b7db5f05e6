import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import type { Bus, CompareAndSetOutcome } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeTradingState, HALT_KINDS, NEVER_ARMED, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { halt } from '../../src/tradingState/halt.js';
import { createHaltMemory } from '../../src/tradingState/memory.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { activate, addHalt, armReducing } from '../../src/tradingState/transitions.js';
import { createTradingStateWatch } from '../../src/tradingState/watch.js';
import { fcSeed } from '../support/seed.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const ACTIVE: TradingState = { ...NEVER_ARMED, epoch: 3, mode: 'ACTIVE', accounts: ['default'], services: ['b'], changedBy: 'op' };

async function busWith(state: TradingState, clock = new ManualClock()): Promise<{ bus: Bus; clock: ManualClock }> {
  const bus = createMemoryBus({ clock }).handle();
  await bus.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(state));
  return { bus, clock };
}

/** The next answers to compare-and-set: `lost` writes, but nobody hears of it. */
function unreliable(bus: Bus, answers: (CompareAndSetOutcome | 'lost' | 'throw')[]): Pick<Bus, 'latch' | 'append'> {
  return {
    append: (stream, fields, options) => bus.append(stream, fields, options),
    latch: (key) => ({
      get: () => bus.latch(key).get(),
      watch: (version, options) => bus.latch(key).watch(version, options),
      compareAndSet: async (version, fields) => {
        const answer = answers.shift();
        if (answer === 'throw') throw new Error('broken');
        if (answer === 'lost') await bus.latch(key).compareAndSet(version, fields);
        if (answer === 'lost') return { outcome: 'unknown', detail: 'answer lost' };
        return answer ?? bus.latch(key).compareAndSet(version, fields);
      },
    }),
  };
}

const request = { kind: 'manual', reason: 'enough', by: 'op', id: 'h1' } as const;

describe('transitions', () => {
  it('S7: no sequence of halts and arming steps makes a state ACTIVE while a halt is uncleared', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('halt' as const), id: fc.constantFrom('a', 'b', 'c'), kind: fc.constantFrom(...HALT_KINDS) }),
      fc.record({ do: fc.constant('arm' as const), clears: fc.subarray(['a', 'b', 'c']) }),
      fc.record({ do: fc.constant('activate' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let state = NEVER_ARMED;
        for (const next of steps) {
          const before = state;
          if (next.do === 'halt') state = addHalt(state, { ...next, by: 'x', reason: 'y', sinceWallMs: 1 });
          else if (next.do === 'arm') state = armReducing(state, { clears: next.clears, accounts: [], services: [], by: 'op', wallMs: 1 });
          else state = activate(state, 'op', 1);
          expect(state.epoch).toBe(before.epoch + (next.do === 'arm' ? 1 : 0));
          if (state.halts.length > 0) expect(state.mode).toBe('HALTED');
          if (next.do !== 'arm') for (const known of before.halts) expect(state.halts).toContainEqual(known);
          if (state.mode === 'ACTIVE') expect(['REDUCING', 'ACTIVE']).toContain(before.mode);
        }
      }),
      { seed: fcSeed },
    );
  });
});

describe('halt', () => {
  it('adds until committed, through conflicts, refusals, lost answers and throws; the same halt twice is one halt', async () => {
    const { bus, clock } = await busWith(ACTIVE);
    const answers: (CompareAndSetOutcome | 'lost' | 'throw')[] = [
      { outcome: 'conflict' },
      'throw',
      { outcome: 'refused', reason: 'no_space', detail: 'full' },
      { outcome: 'unknown', detail: 'silent' },
      'lost',
    ];
    const halted = halt(unreliable(bus, answers), request, { clock });
    await clock.advance(1_000);
    expect(await halted).toMatchObject({ outcome: 'committed', haltId: 'h1', epoch: 3, version: 2 });
    expect(await halt(bus, request, { clock })).toMatchObject({ outcome: 'committed', version: 2 });
    expect((await readTradingState(bus)).state.halts).toMatchObject([{ id: 'h1', kind: 'manual' }]);
    const { entries } = await readAudit(bus);
    expect(entries.map(({ event }) => event)).toEqual(['state.halted']);
  });

  it('L3: concurrent halts are all in the set', async () => {
    const { bus, clock } = await busWith(ACTIVE);
    const all = Array.from({ length: 20 }, (_, index) => halt(bus, { ...request, id: `h${index}` }, { clock }));
    await clock.advance(1_000);
    for (const one of await Promise.all(all)) expect(one.outcome).toBe('committed');
    expect((await readTradingState(bus)).state.halts).toHaveLength(20);
  });

  it('says unknown after timeoutMs, also when the bus never answers, and never throws', async () => {
    const { bus, clock } = await busWith(ACTIVE);
    const frozen = { ...unreliable(bus, []), latch: () => ({ ...bus.latch(TRADING_STATE), get: () => new Promise<never>(() => {}) }) };
    const halted = halt(frozen, request, { clock });
    await clock.advance(6_000);
    expect(await halted).toMatchObject({ outcome: 'unknown', haltId: 'h1' });
  });

  it('S3: a state that nobody can read becomes one that is halted and says so; one of a newer version is left alone', async () => {
    for (const [schema, outcome] of [
      ['1', 'committed'],
      ['9', 'unknown'],
    ] as const) {
      const clock = new ManualClock();
      const bus = createMemoryBus({ clock }).handle();
      await bus.latch(TRADING_STATE).compareAndSet(0, { schema, epoch: '7', mode: 'GO' });
      const halted = halt(bus, request, { clock });
      await clock.advance(6_000);
      expect((await halted).outcome).toBe(outcome);
      if (outcome === 'committed') expect((await readTradingState(bus)).state).toMatchObject({ mode: 'HALTED', epoch: 7 });
      else await expect(readTradingState(bus)).rejects.toThrow('cannot be understood');
    }
  });

  it('refuses wrong arguments by name', async () => {
    const { bus } = await busWith(ACTIVE);
    await expect(halt(bus, { ...request, by: ' ' })).rejects.toMatchObject({ field: 'by' });
    await expect(halt(bus, { ...request, reason: '' })).rejects.toMatchObject({ field: 'reason' });
  });
});

describe('halt memory', () => {
  it('S7: adds again what the bus has forgotten, once, and lets go only with a higher epoch', async () => {
    const { bus, clock } = await busWith(ACTIVE);
    const memory = createHaltMemory({ clock });
    const halted = addHalt(ACTIVE, { ...request, sinceWallMs: 1 });
    expect(memory.observe(halted)).toBe(false);
    expect(memory.observe(ACTIVE)).toBe(true);
    expect(await memory.reassert(bus, { clock })).toMatchObject({ outcome: 'reasserted', halts: ['h1'], epoch: 3 });
    expect(await memory.reassert(bus, { clock })).toEqual({ outcome: 'nothing' });
    expect(memory.observe({ ...ACTIVE, epoch: 4 })).toBe(false);
    expect(memory.halts()).toEqual([]);
    expect(memory.observe({ ...ACTIVE, epoch: 3 })).toBe(true);
  });

  it('S7: survives a restart in its file; trap 45: a forgotten halt is back after the restart of the one who remembers', async () => {
    const file = join(temporaryDirectory(), 'memory.json');
    const first = createHaltMemory({ file });
    first.observe(ACTIVE);
    first.observe(addHalt(ACTIVE, { ...request, sinceWallMs: 1 }));
    await first.saved();
    expect(first.problem()).toBeUndefined();
    const { bus, clock } = await busWith(ACTIVE);
    const second = createHaltMemory({ file });
    expect(second.highestEpoch()).toBe(3);
    expect(await second.reassert(bus, { clock })).toMatchObject({ outcome: 'reasserted', halts: ['h1'] });
  });

  it('S3: a file that is truncated, changed, empty or not a file is a halt of kind doubt, until a state holds it', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'memory.json');
    const good = createHaltMemory({ file });
    good.observe(ACTIVE);
    await good.saved();
    for (const content of ['', '{}', '{"epoch":0,"halts":[],"own":[]}\nbad\n', '\u0000\u0000']) {
      writeFileSync(file, content);
      const { bus, clock } = await busWith(ACTIVE);
      const memory = createHaltMemory({ file, clock });
      expect(memory.observe(ACTIVE)).toBe(true);
      expect(await memory.reassert(bus, { clock })).toMatchObject({ outcome: 'reasserted' });
      expect((await readTradingState(bus)).state.halts).toMatchObject([{ kind: 'doubt' }]);
    }
    expect(createHaltMemory({ file: directory }).observe(ACTIVE)).toBe(true);
  });

  it('a directory that cannot be written is a problem that it tells, not a throw', async () => {
    const memory = createHaltMemory({ file: join(temporaryDirectory(), 'absent', 'memory.json') });
    memory.observe(ACTIVE);
    await memory.saved();
    expect(memory.problem()).toContain('cannot be written');
  });
});

describe('trading state watch', () => {
  it('S3: shows each change at once, and nothing while the state cannot be understood', async () => {
    const clock = new ManualClock();
    const memoryBus = createMemoryBus({ clock, random: seededRandom(1) });
    const bus = memoryBus.handle();
    const watch = createTradingStateWatch({ bus, clock });
    const seen: (string | undefined)[] = [];
    watch.onChange((reading) => {
      seen.push(reading?.state.mode);
      throw new Error('a listener of no importance');
    });
    await clock.advance(0);
    expect(watch.current()?.state).toEqual(NEVER_ARMED);
    await bus.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    await clock.advance(0);
    expect(watch.current()?.state.mode).toBe('ACTIVE');
    expect(watch.contactAgeMs()).toBe(0);
    memoryBus.spoilLatch(TRADING_STATE);
    await clock.advance(0);
    expect(watch.current()).toBeUndefined();
    expect(watch.doubt()).toContain('cannot be understood');
    expect(seen).toEqual(['HALTED', 'ACTIVE', undefined]);
    const closed = watch.close();
    await clock.advance(1_000);
    await closed;
  });

  it('S7: shows a halt also where another master gives it the number that an armed state had on the last one', async () => {
    const clock = new ManualClock();
    let fields = encodeTradingState(ACTIVE);
    const watched = async () => {
      await clock.sleep(1);
      return { version: 7, fields, sentMs: clock.monotonicMs() };
    };
    const latch = { ...createMemoryBus().handle().latch(TRADING_STATE), watch: watched };
    const watch = createTradingStateWatch({ bus: { latch: () => latch }, clock });
    await clock.advance(5);
    expect(watch.current()?.state.mode).toBe('ACTIVE');
    fields = encodeTradingState(NEVER_ARMED);
    await clock.advance(5);
    expect(watch.current()?.state.mode).toBe('HALTED');
    const closed = watch.close();
    await clock.advance(5);
    await closed;
  });
});
