import { describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import { verifyAudit } from '../../src/audit/verify.js';
import { FROM_START } from '../../src/bus/bus.js';
import { encodeExitReport, PANIC_COMPLETED } from '../../src/messages/completion.js';
import { LEASE_HOLDER } from '../../src/messages/holder.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { formatStatus } from '../../src/tradingState/formatStatus.js';
import { halt } from '../../src/tradingState/halt.js';
import { openIncidents, readExitRecord } from '../../src/tradingState/incidents.js';
import { endMaintenance, startMaintenance } from '../../src/tradingState/maintenance.js';
import { readStatus } from '../../src/tradingState/status.js';
import { ACTIVE } from '../tradingLease/fixture.js';
import { RearmWorld, reasonsOf } from './fixture.js';

const book = [{ account: 'default', symbol: 'AAPL', quantity: 10 }];
const readBook = async () => book;

async function haltedWorld(kind: 'manual' | 'exit' = 'manual'): Promise<RearmWorld> {
  const world = new RearmWorld();
  await world.set(ACTIVE);
  world.startAll();
  await halt(world.bus, { kind, reason: 'stop', by: 'op', id: 'h1' }, { clock: world.clock });
  return world;
}

async function readStatusOf(world: RearmWorld) {
  const reading = readStatus(world.bus, { clock: world.clock });
  await world.clock.advance(3_000);
  return reading;
}

describe('re-arm', () => {
  it('S7: arms a new system in stages, and everything about it is in the record (S12)', async () => {
    const world = new RearmWorld();
    world.startAll();
    const lease = world.lease();
    let midway: unknown;
    const outcome = await world.rearm({}, {}, async () => {
      midway = await world.state();
      expect(world.refusal(lease)).toBe('trading_reducing');
    });
    expect(midway).toMatchObject({ mode: 'REDUCING', epoch: 1 });
    expect(outcome).toMatchObject({ epoch: 1 });
    expect(await world.state()).toMatchObject({ mode: 'ACTIVE', epoch: 1, accounts: ['default'], services: ['brain'], halts: [] });
    expect(world.refusal(lease)).toBeUndefined();
    const { entries } = await readAudit(world.bus);
    expect(verifyAudit(entries).intact).toBe(true);
    expect(entries.map(({ event }) => event)).toEqual(expect.arrayContaining(['state.rearm_reducing', 'state.armed', 'lease.held']));
    await world.end(lease);
  });

  it('S7: is refused unless it names every uncleared halt, and nothing else', async () => {
    const world = await haltedWorld();
    expect(reasonsOf(await world.rearm({ clears: [] }))).toContain('halt h1');
    expect(reasonsOf(await world.rearm({ clears: ['h1', 'h2'] }))).toContain('h2 is neither');
    expect(reasonsOf(await world.rearm({ clears: ['h1'], by: ' ', reason: '' }))).toMatch(/who arms[^]*why/);
    expect(await world.state()).toMatchObject({ mode: 'HALTED', epoch: 1 });
    expect(await world.rearm({ clears: ['h1'] })).toMatchObject({ epoch: 2 });
    expect(reasonsOf(await world.rearm({ clears: [] }))).toContain('nothing to arm');
  });

  it('S7: reads the book of every account that it ends or arms, a new one as well', async () => {
    const world = await haltedWorld();
    const asked: (readonly string[])[] = [];
    const reading = async (accounts: readonly string[]) => {
      asked.push(accounts);
      return [];
    };
    await world.rearm({ clears: ['h1'], accounts: ['new'] }, { readBook: reading });
    expect(asked).toEqual([['default', 'new']]);
  });

  it('S6: a panic in the original format is an open incident like any other, and belongs to the past once it was named', async () => {
    const world = new RearmWorld();
    await world.set(ACTIVE);
    world.startAll();
    await halt(world.bus, { kind: 'manual', reason: 'stop', by: 'op', id: 'h1' }, { clock: world.clock });
    await world.bus.append(PANIC_CLOSE, { event_id: 'o1', issued_by: 'risk_kernel', reason: 'DRAWDOWN', ts: '1', severity: 'CRITICAL' });
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }))).toContain('incident default@1 (DRAWDOWN) is not completed, and not named');
    expect(await world.rearm({ clears: ['h1', 'default@1'] })).toMatchObject({ epoch: 2 });
    const [known] = (await world.bus.read(PANIC_CLOSE, FROM_START)).records;
    const state = await world.state();
    expect([state.mode, state.panicsUntilMs]).toEqual(['ACTIVE', known?.appendedWallMs]);
    expect(openIncidents(await readExitRecord(world.bus), state)).toEqual([]);
    await world.clock.advance(1);
    await world.bus.append(PANIC_CLOSE, { event_id: 'o2', issued_by: 'ops' });
    expect(openIncidents(await readExitRecord(world.bus), state).map(({ incident }) => incident)).toEqual(['default@2']);
    expect(state.epoch).toBe(2);
  });

  it('S7: with positions open only when the book was read and equals what is acknowledged', async () => {
    const world = await haltedWorld();
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }, { readBook }))).toContain('AAPL 10 is open and not acknowledged');
    const wrong = [{ account: 'default', symbol: 'AAPL', quantity: 9 }];
    expect(reasonsOf(await world.rearm({ clears: ['h1'], acknowledged: wrong }, { readBook }))).toContain('9 was acknowledged');
    const more = [...book, { account: 'default', symbol: 'MSFT', quantity: 1 }];
    expect(reasonsOf(await world.rearm({ clears: ['h1'], acknowledged: more }, { readBook }))).toContain('is not open');
    const failing = async () => {
      throw new Error('venue down');
    };
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }, { readBook: failing }))).toContain('could not be read: venue down');
    Object.assign(world.worker.beat, { worker: { account: 'default', identityMatches: true, bookAgeMs: 5, positions: 1 } });
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }))).toContain('sees open positions');
    expect(await world.rearm({ clears: ['h1'], acknowledged: book }, { readBook })).toMatchObject({ epoch: 2 });
  });

  it('S7: after an exit only flat, or with each residue acknowledged', async () => {
    const world = await haltedWorld('exit');
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }, { readBook }))).toContain('not acknowledged');
    expect(await world.rearm({ clears: ['h1'], acknowledged: book }, { readBook })).toMatchObject({ epoch: 2 });
  });

  it('S6: is refused while an uncompleted panic is not named; a completed one needs no name', async () => {
    for (const scope of ['default', undefined]) {
      const world = await haltedWorld();
      await world.panic(1, scope);
      expect(reasonsOf(await world.rearm({ clears: ['h1'] }))).toContain('incident default@1');
      expect(await world.rearm({ clears: ['h1', 'default@1'] })).toMatchObject({ epoch: 2 });
    }
    const world = await haltedWorld();
    await world.panic(1);
    const done = {
      eventId: 'p1',
      incident: 'default@1',
      account: 'default',
      epoch: 1,
      verdict: 'flat',
      worker: 'w',
      fencingToken: 1,
    } as const;
    const counts = { positionsTotal: 0, positionsClosed: 0, positionsFailed: 0, failedSymbols: [], silentHolders: [], residue: [] };
    const times = { startedWallMs: 1, completedWallMs: 1, executionTimeMs: 1 };
    await world.bus.append(PANIC_COMPLETED, encodeExitReport({ ...done, ...counts, ...times, answers: ['p1', 'joined'] }));
    await world.panic(1, 'default', 'joined');
    await world.panic(1, undefined, 'second');
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }))).toContain('incident default@1');
    expect((await readStatusOf(world)).openIncidents.map(({ incident }) => incident)).toEqual(['default@1']);
    await world.bus.append(PANIC_COMPLETED, encodeExitReport({ ...done, ...counts, ...times, eventId: 'second', fencingToken: 2 }));
    expect(await world.rearm({ clears: ['h1'] })).toMatchObject({ epoch: 2 });
  });

  it('S6: a panic that comes during the dwell stops it: it is not buried by the new epoch', async () => {
    for (const epoch of [1, 2]) {
      const world = await haltedWorld();
      expect(reasonsOf(await world.rearm({ clears: ['h1'] }, {}, () => world.panic(epoch)))).toContain(`default@${epoch} was not named`);
      expect(await world.state()).toMatchObject({ mode: 'HALTED', epoch: 2, halts: [{ kind: 'doubt' }] });
    }
  });

  it('S7: falls back to HALTED when brain, watchdog, worker or a holder fails during the dwell, and says why', async () => {
    const failures: readonly [(world: RearmWorld) => unknown, string][] = [
      [(world) => Object.assign(world.brain, { deciding: false }), 'exit brain brain shows no progress'],
      [(world) => Object.assign(world.brain, { status: 'DEGRADED' }), 'is not OK'],
      [(world) => Object.assign(world.brain, { alive: false }), 'exit brain brain shows no progress'],
      [(world) => Object.assign(world.watchdog, { alive: false }), 'no watchdog shows progress'],
      [(world) => Object.assign(world.worker, { alive: false }), 'no exit worker of default shows progress'],
      [
        (world) => Object.assign(world.worker.beat, { worker: { account: 'default', identityMatches: false, bookAgeMs: 1 } }),
        'right account and a fresh book',
      ],
      [(world) => Object.assign(world.worker.beat, { pid: 901 }), 'one process'],
      [(world) => Object.assign(world.link, { cut: true }), 'has not attested epoch 2'],
    ];
    for (const [fail, reason] of failures) {
      const world = await haltedWorld();
      const lease = world.lease();
      const cutEarly = reason.includes('attested');
      if (cutEarly) {
        await world.clock.advance(1_000);
        fail(world);
      }
      expect(reasonsOf(await world.rearm({ clears: ['h1'] }, {}, () => (cutEarly ? undefined : fail(world))))).toContain(reason);
      const state = await world.state();
      expect(state).toMatchObject({ mode: 'HALTED', epoch: 2, halts: [{ kind: 'doubt', by: 'op' }] });
      expect(state.halts[0]?.reason).toContain(reason.slice(0, 20));
      world.link.cut = false;
      await world.end(lease);
    }
  });

  it('a holder that is gone blocks arming until it is named as gone', async () => {
    const world = await haltedWorld();
    const lease = world.lease({ holderId: 'gone' });
    await world.clock.advance(1_000);
    world.link.cut = true;
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }))).toContain('holder gone has not attested');
    const { halts } = await world.state();
    expect(await world.rearm({ clears: halts.map(({ id }) => id), ignoreHolders: ['gone'] })).toMatchObject({ epoch: 3 });
    await world.end(lease);
  });

  it.each([
    [
      'one that speaks a version of its own',
      'ahead',
      (world: RearmWorld) => world.bus.append(LEASE_HOLDER, { holder_id: 'ahead', event: 'paused' }),
    ],
    ['a record that is spoilt', 'corrupt-0', async (world: RearmWorld) => world.memory.corrupt(LEASE_HOLDER)],
  ])('S3: %s may be a holder that still sends orders: arming is refused until it is named as gone', async (_what, name, speak) => {
    const world = await haltedWorld();
    await speak(world);
    const refused = await world.rearm({ clears: ['h1'] });
    expect(reasonsOf(refused)).toMatch(/holder \S+ cannot be understood/);
    expect(reasonsOf(refused)).toContain(name);
    expect(await world.state()).toMatchObject({ mode: 'HALTED', epoch: 1 });
    const status = await readStatusOf(world);
    expect(status.unreadable.join()).toContain(name);
    const [, gone = ''] = /holder (\S+) cannot be understood/.exec(reasonsOf(refused)) ?? [];
    expect(await world.rearm({ clears: ['h1'], ignoreHolders: [gone] })).toMatchObject({ epoch: 2 });
  });

  it('S3: a holder that speaks clearly again is understood; one that stops doing so during the dwell is not armed beside', async () => {
    const world = await haltedWorld();
    await world.bus.append(LEASE_HOLDER, { holder_id: 'h', event: 'paused' });
    const lease = world.lease({ holderId: 'h' });
    await world.clock.advance(500);
    const spoken = () => world.bus.append(LEASE_HOLDER, { holder_id: 'h', event: 'paused' });
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }, {}, spoken))).toContain('holder h cannot be understood');
    const closed = lease.close();
    await world.clock.advance(3_000);
    await closed;
    const { halts } = await world.state();
    expect(await world.rearm({ clears: halts.map(({ id }) => id) })).toMatchObject({ epoch: 3 });
  });

  it('S7: a halt that comes during the dwell wins', async () => {
    const world = await haltedWorld();
    const late = () => halt(world.bus, { kind: 'breaker', reason: 'loss', by: 'bot', id: 'h2' }, { clock: world.clock });
    expect(reasonsOf(await world.rearm({ clears: ['h1'] }, {}, late))).toContain('halted by bot: loss');
    expect(await world.state()).toMatchObject({ mode: 'HALTED', halts: [{ id: 'h2' }] });
  });

  it('is refused where nobody beats', async () => {
    const world = new RearmWorld();
    expect(reasonsOf(await world.rearm())).toMatch(/no exit brain[^]*no watchdog[^]*no exit worker/);
  });
});

describe('maintenance and status', () => {
  it('sets REDUCING and announces the window; a re-arm ends it without naming positions', async () => {
    const world = new RearmWorld();
    await world.set(ACTIVE);
    world.startAll();
    const deps = { clock: world.clock };
    const window = await startMaintenance(world.bus, { serviceId: 'brain', durationMs: 90_000, by: 'op', reason: 'upgrade' }, deps);
    expect(await world.state()).toMatchObject({ mode: 'REDUCING', epoch: 1 });
    await endMaintenance(world.bus, { windowId: window.windowId, serviceId: 'brain', by: 'op', reason: 'done' }, deps);
    expect(await world.state()).toMatchObject({ mode: 'REDUCING' });
    expect(await world.rearm({}, { readBook })).toMatchObject({ epoch: 2 });
    const { entries } = await readAudit(world.bus);
    expect(entries.map(({ event }) => event)).toEqual(expect.arrayContaining(['maintenance.started', 'maintenance.ended']));
    await expect(startMaintenance(world.bus, { serviceId: 'brain', durationMs: -1, by: 'op', reason: 'x' })).rejects.toMatchObject({
      field: 'durationMs',
    });
  });

  it('tells a tired operator what holds and what is open', async () => {
    const world = await haltedWorld();
    const lease = world.lease({ holderId: 'bot-1' });
    await world.clock.advance(1_000);
    await world.panic(1);
    const reading = readStatus(world.bus, { clock: world.clock });
    await world.clock.advance(3_000);
    const text = formatStatus(await reading);
    for (const words of ['HALTED', 'halt h1', 'OPEN INCIDENT: default@1', 'Exit brain: brain OK', 'Watchdog: watchdog', 'Holder: bot-1']) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('NO PROGRESS');
    await world.end(lease);
  });
});
