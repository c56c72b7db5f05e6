import { describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import type { Bus } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeTradingState, TRADING_STATE } from '../../src/messages/tradingState.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { ACTIVE, World } from './fixture.js';

type Line = readonly [level: string, message: string, details: object];

function logOf(lines: Line[]) {
  const note = (level: string) => (details: object, message: string) => void lines.push([level, message, details]);
  return { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
}

async function recorded(bus: Bus) {
  const { entries } = await readAudit(bus);
  return entries.map(({ event, cause, details }) => [event, cause, details] as const);
}

const DRIFTED = 'wall clock and monotonic clock have drifted apart';

describe('what a lease records', () => {
  it('S12: each change of what it is worth, with cause, what it was before, and the state that it had seen', async () => {
    const world = new World();
    const lease = await world.held();
    world.worker.alive = false;
    world.orders.inflight = 1;
    await world.clock.advance(1_500);
    world.orders.inflight = 0;
    world.worker.alive = true;
    await world.clock.advance(500);
    const { version } = await world.link.bus.latch(TRADING_STATE).get();
    await halt(world.bus, { kind: 'manual', reason: 'enough', by: 'op' }, { clock: world.clock });
    await world.clock.advance(100);
    await world.end(lease);
    const seen = { account: 'default', epoch: 1, version };
    const events = await recorded(world.bus);
    expect(events.filter(([event]) => event.startsWith('lease.'))).toEqual([
      ['lease.missing', 'this holder is not registered yet', { ...seen, before: 'none' }],
      ['lease.held', 'renewed', { ...seen, before: 'missing' }],
      ['lease.suspended', 'no exit worker is alive', { ...seen, before: 'held' }],
      ['lease.held', 'renewed', { ...seen, before: 'suspended' }],
      ['lease.halted', 'op: enough', { ...seen, version: version + 1, before: 'held' }],
      ['lease.closed', 'nothing is under way', { inflight: 0, unknownOutcomes: 0 }],
    ]);
    const suspended = (await world.reports()).filter(({ event }) => event === 'suspended');
    expect(suspended).toMatchObject([{ epoch: 1, stateVersion: version, inflight: 1, unknownOutcomes: 0 }]);
    const { entries } = await readAudit(world.bus);
    expect(new Set(entries.filter(({ event }) => event.startsWith('lease.')).map(({ actor }) => actor))).toEqual(
      new Set([`lease:${lease.holderId}`]),
    );
  });

  it('S7: a suspension that lasted too long is one halt of the account and epoch, with who wrote it and why', async () => {
    const world = new World();
    const lease = await world.held({ holderId: 'me', account: 'default' });
    world.watchdog.alive = false;
    await world.clock.advance(11_500);
    const { state } = await readTradingState(world.bus);
    const reason = 'a trading lease of default was suspended for longer than 10000 ms';
    expect(state.halts).toMatchObject([{ kind: 'doubt', id: 'lease/default/1', by: 'lease:me', reason }]);
    await world.end(lease);
  });
});

describe('what a lease does with its bus', () => {
  it('L4: reads and probes it four times a ttl, and tells what kept it from renewing', async () => {
    const world = new World();
    const lines: Line[] = [];
    const calls = { probes: 0, gets: 0 };
    let probe: Bus['probe'] = () => world.link.bus.probe();
    const bus: Bus = {
      ...world.link.bus,
      latch: (key) => {
        const latch = world.link.bus.latch(key);
        return {
          ...latch,
          get: () => {
            calls.gets += 1;
            return latch.get();
          },
        };
      },
      probe: () => {
        calls.probes += 1;
        return probe();
      },
    };
    const lease = await world.held({ bus, logger: logOf(lines) });
    expect(lines).toEqual([]);
    Object.assign(calls, { probes: 0, gets: 0 });
    await world.clock.advance(7_500);
    expect(calls).toEqual({ probes: 40, gets: 40 });

    const answers: readonly (readonly [answer: Bus['probe'], error: string])[] = [
      [async () => ({ ok: false, detail: 'read only' }), 'the bus cannot be written and read: read only'],
      [async () => ({ ...(await okProbe(world)), unguarded: 'it forgets' }), 'nothing is granted on this bus: it forgets'],
      [() => new Promise(() => {}), 'the bus did not answer within 750 ms'],
    ];
    for (const [answer, error] of answers) {
      lines.length = 0;
      probe = answer;
      await world.clock.advance(1_600);
      expect(world.refusal(lease)).toBe('lease_expired');
      expect(new Set(lines.map((line) => JSON.stringify(line)))).toEqual(
        new Set([JSON.stringify(['warn', 'the trading lease was not renewed', { error }])]),
      );
      probe = () => world.link.bus.probe();
      await world.clock.advance(1_000);
      expect(world.refusal(lease)).toBeUndefined();
    }
    await world.end(lease);
  });

  it('S7: on another server it stands again only after its halts are there, and tells both servers', async () => {
    const world = new World();
    const lines: Line[] = [];
    const lease = await world.held({ logger: logOf(lines) });
    const before = (await okProbe(world)).identity;
    await halt(world.bus, { kind: 'manual', reason: 'stop', by: 'op', id: 'h1' }, { clock: world.clock });
    await world.clock.advance(300);
    const other = createMemoryBus({ clock: world.clock, random: world.random.fork('other') }).handle();
    await other.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
    world.bus = other;
    world.link.target = other;
    await world.clock.advance(1_000);
    const now = (await okProbe(world)).identity;
    const changed = (await recorded(other)).filter(([event]) => event === 'lease.bus_changed');
    expect(changed).toEqual([['lease.bus_changed', 'the bus is not the one that this holder had registered with', { before, now }]]);
    const errors = lines.filter(([level]) => level === 'error').map(([, message]) => message);
    expect(new Set(errors)).toEqual(new Set(['the bus has forgotten a halt or an epoch that this holder remembers']));
    await world.end(lease);
  });

  it('S3: an answer from before a halt that has been heard renews nothing and takes nothing back', async () => {
    const world = new World();
    const held: (() => void)[] = [];
    let isHolding = false;
    const bus: Bus = {
      ...world.link.bus,
      latch: (key) => {
        const latch = world.link.bus.latch(key);
        const late = async () => {
          const value = await latch.get();
          if (isHolding) await new Promise<void>((resolve) => held.push(resolve));
          return value;
        };
        return { ...latch, get: late };
      },
    };
    const lease = await world.held({ bus });
    isHolding = true;
    await world.clock.advance(200);
    expect(held).toHaveLength(1);
    await halt(world.bus, { kind: 'manual', reason: 'enough', by: 'op' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease)).toBe('trading_halted');
    isHolding = false;
    held[0]?.();
    for (let waitedMs = 0; waitedMs < 400; waitedMs += 20) {
      await world.clock.advance(20);
      expect(world.refusal(lease)).toBe('trading_halted');
    }
    await world.end(lease);
  });
});

async function okProbe(world: World) {
  const probe = await world.link.bus.probe();
  if (!probe.ok) throw new Error(probe.detail);
  return probe;
}

describe('what a lease makes of its clocks', () => {
  it('S8: at the door, clocks that drifted apart since the renewal refuse what adds risk and what may meet an exit', async () => {
    const world = new World();
    const lease = await world.held();
    const nowMs = world.clock.monotonicMs();
    world.clock.stepWall(60_000);
    const reason = `${DRIFTED} since the renewal`;
    const refused = { code: 'lease_expired', source: 'trading_lease' };
    expect(lease.check(nowMs, 'increase')).toEqual({ ...refused, reason });
    const exit = `an exit may be under way, and only its worker would close: ${reason}`;
    expect(lease.check(nowMs, 'reduce')).toEqual({ ...refused, reason: exit });
    expect(lease.check(nowMs, 'cancel')).toBeUndefined();
    expect(lease.state()).toEqual({ kind: 'suspended', sinceMs: nowMs, overdue: false, why: reason });
    await world.clock.advance(1_500);
    expect(world.refusal(lease)).toBeUndefined();
    expect((await recorded(world.bus)).filter(([event]) => event === 'lease.clocks_diverged')).toEqual([
      ['lease.clocks_diverged', DRIFTED, {}],
    ]);
    await world.end(lease);
  });

  it('S3: a clock that throws leaves nothing to stand on, but lets a cancel pass', async () => {
    const world = new World();
    let isBroken = false;
    const wallMs = () => {
      if (isBroken) throw new Error('no clock');
      return world.clock.wallMs();
    };
    const { monotonicMs, setTimer, sleep } = world.clock;
    const lease = await world.held({ clock: { monotonicMs, setTimer, sleep, wallMs } });
    isBroken = true;
    const nowMs = world.clock.monotonicMs();
    const refused = { code: 'lease_expired', source: 'trading_lease', reason: 'the lease could not be judged' };
    for (const intent of ['increase', 'reduce'] as const) expect(lease.check(nowMs, intent)).toEqual(refused);
    expect(lease.check(nowMs, 'cancel')).toBeUndefined();
    isBroken = false;
    expect(lease.check(nowMs, 'increase')).toBeUndefined();
    await world.end(lease);
  });
});

describe('how a lease ends', () => {
  const ended = async (world: World) => {
    const events = (await world.reports()).slice(-2).map(({ event, unknownOutcomes }) => [event, unknownOutcomes]);
    const closed = (await recorded(world.bus)).filter(([event]) => event === 'lease.closed');
    return { events, closed };
  };

  it('S2: waits for orders in flight no longer than closeTimeoutMs, and then neither drained nor released is said', async () => {
    const world = new World();
    const lease = await world.held({ closeTimeoutMs: 1_000 });
    world.orders.inflight = 1;
    let isClosed = false;
    const closing = lease.close();
    expect(lease.close()).toBe(closing);
    expect(lease[Symbol.asyncDispose]()).toBe(closing);
    void closing.then(() => {
      isClosed = true;
    });
    for (const intent of ['increase', 'reduce'] as const) expect(world.refusal(lease, intent)).toBe('lease_missing');
    expect(lease.state()).toEqual({ kind: 'missing', why: 'the lease is closed' });
    await world.clock.advance(990);
    expect(isClosed).toBe(false);
    await world.clock.advance(200);
    expect(isClosed).toBe(true);
    world.stopPeers();
    const { closed } = await ended(world);
    const reports = await world.reports();
    expect(reports.filter(({ event, inflight }) => event === 'released' || (event === 'drained' && inflight > 0))).toEqual([]);
    expect(closed).toEqual([['lease.closed', 'orders may still be under way', { inflight: 1, unknownOutcomes: 0 }]]);
  });

  it('S5: with an unknown outcome it says drained with it, and not released', async () => {
    const world = new World();
    const lease = await world.held();
    world.orders.unknown = 1;
    await world.end(lease);
    const { events, closed } = await ended(world);
    expect(events.at(-1)).toEqual(['drained', 1]);
    expect(closed).toEqual([['lease.closed', 'orders may still be under way', { inflight: 0, unknownOutcomes: 1 }]]);
  });

  it('S5: without a view it says neither, and records that it does not know', async () => {
    const world = new World();
    const lease = await world.held({ inflight: undefined } as object);
    await world.end(lease);
    const { events, closed } = await ended(world);
    expect(events.map(([event]) => event)).toEqual(['registered', 'attested']);
    expect(closed).toEqual([['lease.closed', 'orders may still be under way', {}]]);
  });

  it('says goodbye three times where it is not committed, and to nobody with whom it never registered', async () => {
    const world = new World();
    let isDown = false;
    const tried: (string | undefined)[] = [];
    const bus: Bus = {
      ...world.link.bus,
      append: async (stream, fields, options) => {
        if (!isDown || stream !== 'trading_lease:holder') return world.link.bus.append(stream, fields, options);
        tried.push(String(fields['event']));
        return { outcome: 'unknown', detail: 'down' };
      },
    };
    const lease = await world.held({ bus });
    isDown = true;
    await world.end(lease);
    expect(tried).toEqual(['drained', 'drained', 'drained']);

    const silent = new World();
    silent.link.cut = true;
    const unheard = silent.lease();
    let isReady = false;
    void unheard.ready.then(() => {
      isReady = true;
    });
    await silent.clock.advance(500);
    expect(isReady).toBe(false);
    await silent.end(unheard);
    expect(isReady).toBe(true);
    silent.link.cut = false;
    expect(await ended(silent)).toEqual({ events: [], closed: [] });

    const late = new World();
    late.link.cut = true;
    const unregistered = late.lease();
    await late.clock.advance(100);
    late.link.cut = false;
    await late.end(unregistered);
    expect(await ended(late)).toEqual({ events: [], closed: [] });
  });
});
