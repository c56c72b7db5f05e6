/** A bus on Redis under everything that a server and a network do: real servers, a proxy that only does what TCP can do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppendOutcome, type Bus, BusDoubtError, BusUnavailableError, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { panicClose } from '../../src/emergencyExit/panicClose.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { TRADING_STATE } from '../../src/messages/tradingState.js';
import { RedisServer, type RedisServerOptions } from '../../src/rig/redis/server.js';
import { TcpProxy } from '../../src/rig/tcpProxy.js';
import { eventually } from '../support/eventually.js';

const STREAM = 'failures:stream';
const BEATS = 'exit_brain:heartbeat';

let server: RedisServer;
let proxy: TcpProxy;
let bus: Bus;
/** Straight to the server, as other processes are. */
let other: Bus;

async function begin(options: RedisServerOptions = {}): Promise<void> {
  server = await RedisServer.start(options);
  proxy = await TcpProxy.start(server.port);
  bus = await openBus(`redis://127.0.0.1:${proxy.port}`);
  other = await openBus(server.url);
}
afterEach(async () => {
  await bus.close();
  await other.close();
  await proxy.close();
  await server.dispose();
});

const valuesOf = async (stream: string, on: Bus = other) => (await on.read(stream, FROM_START)).records.map(({ fields }) => fields['v']);
const isBack = () =>
  eventually(async () => (await bus.probe()).ok && (await bus.append('failures:back', { v: 'x' })).outcome === 'committed', {
    timeoutMs: 10_000,
  });

/** Whatever a call is told, it is told in time. */
async function settles<T>(call: Promise<T>, withinMs: number): Promise<T> {
  let late = false;
  const timer = systemClock.setTimer(withinMs, () => {
    late = true;
  });
  const outcome = await call.finally(() => timer.cancel());
  expect(late, `not settled within ${withinMs} ms`).toBe(false);
  return outcome;
}

describe('a bus on Redis, its server or its network failing', () => {
  beforeEach(() => begin());

  it('trap 32: a frozen server ends every call in time, and no beat of that time lands when it goes on', async () => {
    server.signal('SIGSTOP');
    const calls = [bus.append(BEATS, { v: 'stale' }, { timeoutMs: 200 }), bus.append(STREAM, { v: 'stale' }, { timeoutMs: 200 })];
    const outcomes = await settles(Promise.all(calls), 1_500);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
    await expect(settles(bus.read(STREAM, FROM_START), 1_500)).rejects.toBeInstanceOf(BusUnavailableError);
    expect(await settles(bus.probe(), 2_500)).toMatchObject({ ok: false });
    server.signal('SIGCONT');
    await isBack();
    expect([await valuesOf(BEATS), await valuesOf(STREAM)]).toEqual([[], []]);
  });

  it('a stalled network ends a waiting read, a waiting consumer and a waiting watch, and contact is never inferred from silence', async () => {
    await bus.read(STREAM, FROM_START, { blockMs: 1 });
    proxy.set({ kind: 'stall' });
    const waits = [
      bus.read(STREAM, FROM_START, { blockMs: 100 }),
      bus.group(STREAM, 'g').next('c', { minIdleMs: 1_000, blockMs: 100 }),
      bus.latch('state').watch(0, { blockMs: 100 }),
    ];
    for (const wait of await settles(Promise.allSettled(waits), 4_000)) {
      expect(wait).toMatchObject({ status: 'rejected', reason: { code: 'bus_unavailable' } });
    }
    proxy.set({ kind: 'pass' });
    await isBack();
  });

  it('a command that a stall has held back does not land behind its deadline', async () => {
    proxy.set({ kind: 'stall', direction: 'to-server' });
    const outcome = await settles(bus.append(STREAM, { v: 'late' }, { timeoutMs: 150 }), 1_000);
    expect(outcome.outcome).toBe('unknown');
    proxy.set({ kind: 'pass' });
    await isBack();
    expect(await valuesOf(STREAM)).toEqual([]);
  });

  it('an append whose answer is lost is unknown, stands once, and its key says so', async () => {
    await bus.append('failures:other', { v: 'x' });
    proxy.set({ kind: 'lose-reply' });
    const outcome = await settles(bus.append(STREAM, { v: 'once' }, { idempotencyKey: 'k' }), 1_500);
    expect(outcome.outcome).toBe('unknown');
    proxy.set({ kind: 'pass' });
    await isBack();
    expect(await bus.append(STREAM, { v: 'once' }, { idempotencyKey: 'k' })).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
    expect(await valuesOf(STREAM)).toEqual(['once']);
  });

  it('a latch whose answer is lost is unknown and written once', async () => {
    await bus.latch('another').compareAndSet(0, {});
    proxy.set({ kind: 'lose-reply' });
    expect(await settles(bus.latch('state').compareAndSet(0, { v: '1' }), 1_500)).toMatchObject({ outcome: 'unknown' });
    proxy.set({ kind: 'pass' });
    await isBack();
    expect(await bus.latch('state').get()).toMatchObject({ version: 1, fields: { v: '1' } });
  });

  it('a message whose delivery is lost comes again to its consumer', async () => {
    await other.append(STREAM, { v: 'panic' });
    const group = bus.group(STREAM, 'workers');
    await group.pending();
    proxy.set({ kind: 'lose-reply' });
    await expect(group.next('a', { minIdleMs: 60_000 })).rejects.toBeInstanceOf(BusUnavailableError);
    proxy.set({ kind: 'pass' });
    await isBack();
    const again = await eventually(() => group.next('a', { minIdleMs: 60_000, blockMs: 500 }));
    expect(again.record.fields).toEqual({ v: 'panic' });
    expect(await again.ack()).toBe(true);
  });

  it('a reset connection is replaced, and what was under way is unknown or refused, never repeated', async () => {
    const flying = Array.from({ length: 20 }, (_, v) => bus.append(STREAM, { v: String(v) }));
    proxy.set({ kind: 'reset' });
    const outcomes = await settles(Promise.all(flying), 1_500);
    expect(await bus.append(STREAM, { v: 'down' })).toMatchObject({ outcome: 'refused', reason: 'unavailable' });
    proxy.set({ kind: 'pass' });
    await isBack();
    const stand = await valuesOf(STREAM);
    expect(new Set(stand).size).toBe(stand.length);
    const committed = outcomes.flatMap((one, v) => (one.outcome === 'committed' ? [String(v)] : []));
    const refused = outcomes.flatMap((one, v) => (one.outcome === 'refused' ? [String(v)] : []));
    expect(stand).toEqual(expect.arrayContaining(committed));
    expect(stand.filter((v) => refused.includes(v ?? ''))).toEqual([]);
  });

  it('a half-open link, which swallows what it is given, is noticed and replaced', async () => {
    proxy.set({ kind: 'half-open' });
    const unknown: AppendOutcome[] = [];
    while (unknown.length < 2) unknown.push(await settles(bus.append(STREAM, { v: 'x' }, { timeoutMs: 100 }), 1_000));
    expect(unknown.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
    expect(await bus.append(STREAM, { v: 'x' })).toMatchObject({ outcome: 'refused', reason: 'unavailable' });
    proxy.set({ kind: 'pass' });
    await isBack();
    expect(await valuesOf(STREAM)).toEqual([]);
  });

  it.each([
    ['out of memory', [['CONFIG', 'SET', 'maxmemory', '1']], [['CONFIG', 'SET', 'maxmemory', '0']], 'no_space'],
    ['a replica', [['REPLICAOF', '127.0.0.1', '1']], [['REPLICAOF', 'NO', 'ONE']], 'read_only'],
    [
      'without replicas that it must have',
      [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
      [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
      'read_only',
    ],
    ['of revoked rights', [['ACL', 'SETUSER', 'default', '-evalsha', '-eval']], [['ACL', 'SETUSER', 'default', '+@all']], 'unavailable'],
  ] as const)('a server that is %s refuses surely, and a probe says that it takes nothing', async (_what, harm, heal, reason) => {
    for (const command of harm) await server.command(...command);
    const outcome = await settles(bus.append(STREAM, { v: 'x' }), 1_500);
    expect(outcome).toMatchObject({ outcome: 'refused', reason });
    expect(await settles(bus.probe(), 2_500)).toMatchObject({ ok: false });
    for (const command of heal) await server.command(...command);
    await isBack();
    expect(await valuesOf(STREAM)).toEqual([]);
  });

  it('S6: without memory a panic and a halt can still be written, and nothing else', async () => {
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await bus.append(BEATS, { v: 'beat' })).toMatchObject({ outcome: 'refused', reason: 'no_space' });
    expect(await bus.append(PANIC_CLOSE, { v: 'panic' }, { idempotencyKey: 'k' })).toMatchObject({ outcome: 'committed' });
    expect(await bus.latch('state').compareAndSet(0, { mode: 'HALTED' })).toMatchObject({ outcome: 'committed' });
    expect(await valuesOf(PANIC_CLOSE)).toEqual(['panic']);
  });

  it('S6: without memory a panic that nobody has had yet is taken up, kept and handed back', async () => {
    await bus.append(PANIC_CLOSE, { v: 'panic' }, { idempotencyKey: 'k' });
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    const group = bus.group(PANIC_CLOSE, 'workers');
    const first = await group.next('a', { minIdleMs: 60_000 });
    expect(await first?.renew()).toBe(true);
    await first?.release();
    const second = await other.group(PANIC_CLOSE, 'workers').next('b', { minIdleMs: 60_000 });
    expect(second?.record.fields).toEqual({ v: 'panic' });
    expect(await second?.ack()).toBe(true);
  });

  it('S7: rights that were revoked in part cost no halt that stands, and nothing is called refused that was written', async () => {
    const latch = bus.latch('state');
    expect(await latch.compareAndSet(0, { mode: 'HALTED', halts: 'x' })).toMatchObject({ outcome: 'committed' });
    const rights = ['-hset', '-hdel', '-del', '-xadd', '-hgetall', '-hexists'];
    for (const right of rights) {
      const before = await latch.get();
      await server.command('ACL', 'SETUSER', 'default', right);
      const set = await latch.compareAndSet(before.version, { mode: right });
      const sent = await bus.append(PANIC_CLOSE, { v: right }, { idempotencyKey: right });
      await server.command('ACL', 'SETUSER', 'default', '+@all');
      const { version, fields } = await latch.get();
      const isNew = version === before.version + 1 && fields['mode'] === right;
      if (!isNew) expect({ version, fields }, right).toEqual({ version: before.version, fields: before.fields });
      if (set.outcome === 'committed' || set.outcome === 'refused') expect(isNew, right).toBe(set.outcome === 'committed');
      const stands = (await valuesOf(PANIC_CLOSE)).includes(right);
      if (sent.outcome === 'committed' || sent.outcome === 'refused') expect(stands, right).toBe(sent.outcome === 'committed');
    }
  });

  it('S6: what another program has put in the place of a latch is doubt, so that a panic goes out all the same', async () => {
    await server.command('SET', TRADING_STATE, 'HALTED');
    await expect(bus.latch(TRADING_STATE).get()).rejects.toBeInstanceOf(BusDoubtError);
    expect(await bus.latch(TRADING_STATE).compareAndSet(0, { mode: 'ACTIVE' })).toMatchObject({ outcome: 'refused' });
    expect(await panicClose(bus, { reason: 'test', by: 'operator' })).toMatchObject({ outcome: 'committed' });
    expect(await server.command('GET', TRADING_STATE)).toBe('HALTED');
  });

  it('a record that stands is never called refused, whatever else could not be noted of it', async () => {
    await server.command('SET', `failflat:latest:${STREAM}`, 'x');
    const sent = await bus.append(STREAM, { v: 'x' }, { key: 'a' });
    expect([sent.outcome, await valuesOf(STREAM)]).toEqual(['unknown', ['x']]);
  });

  it.each(['xadd', 'hset', 'hdel', 'hexists', 'hgetall', 'del', 'time'])(
    'S6: S7: a user who may not give %s: what is refused was not done, and what was done is not called refused',
    async (command) => {
      const latch = bus.latch('state');
      expect(await latch.compareAndSet(0, { mode: 'HALTED', reason: 'before' })).toMatchObject({ outcome: 'committed' });
      await server.command('ACL', 'SETUSER', 'default', `-${command}`);
      const said = new Map([
        ['plain', (await bus.append(STREAM, { v: 'plain' })).outcome],
        ['keyed', (await bus.append(STREAM, { v: 'keyed' }, { key: 'writer' })).outcome],
        ['once', (await bus.append(STREAM, { v: 'once' }, { idempotencyKey: 'k' })).outcome],
      ]);
      const set = (await latch.compareAndSet(1, { mode: 'ACTIVE' })).outcome;
      await server.command('ACL', 'SETUSER', 'default', '+@all');
      await isBack();
      const stands = await valuesOf(STREAM);
      for (const [value, outcome] of said) {
        if (outcome !== 'unknown') expect([value, stands.includes(value)]).toEqual([value, outcome === 'committed']);
      }
      const halted = { version: 1, fields: { mode: 'HALTED', reason: 'before' } };
      const active = { version: 2, fields: { mode: 'ACTIVE' } };
      const { version, fields } = await latch.get();
      const allowed = { committed: [active], refused: [halted], unknown: [active, halted] }[String(set)];
      expect(allowed).toContainEqual({ version, fields });
    },
  );

  it('CLIENT PAUSE holds writes: they are unknown, and do not land when it ends', async () => {
    await server.command('CLIENT', 'PAUSE', '600', 'WRITE');
    expect((await settles(bus.append(STREAM, { v: 'paused' }, { timeoutMs: 150 }), 1_000)).outcome).toBe('unknown');
    await isBack();
    expect(await valuesOf(STREAM)).toEqual([]);
  });

  it('S7: a server that was told to evict is left, and the reason is said', async () => {
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await eventually(async () => JSON.stringify(await bus.append(STREAM, { v: '1' })).includes('maxmemory-policy = allkeys-lru'));
    await eventually(async () => JSON.stringify(await bus.probe()).includes('maxmemory-policy = allkeys-lru'));
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await isBack();
  });

  it('S7: a server that is told to evict while connections stand grants nothing more, until it is told otherwise', async () => {
    const unguarded = async () => {
      const probe = await bus.probe();
      return probe.ok && probe.unguarded;
    };
    expect(await unguarded()).toBeUndefined();
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    expect(await eventually(unguarded)).toContain('maxmemory-policy = allkeys-lfu');
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    await eventually(async () => (await unguarded()) === undefined);
  });

  it('S7: a master that has lost its replicas proves nothing, and grants no more than before', async () => {
    const replica = await RedisServer.start({ config: { replicaof: `127.0.0.1 ${server.port}` } });
    try {
      await eventually(async () => String(await server.command('INFO', 'replication')).includes('state=online'), { timeoutMs: 10_000 });
      await eventually(async () => JSON.stringify(await bus.probe()).includes('"unguarded":"min-replicas-to-write'));
    } finally {
      await replica.dispose();
    }
    await eventually(async () => String(await server.command('INFO', 'replication')).includes('connected_slaves:0'));
    const probe = await bus.probe();
    expect(probe.ok ? 'ok' : probe.detail).toContain('no replica confirmed');
  });

  it('S7: a server that has lost everything is another one: its identity changes, and the state reads as never set', async () => {
    await bus.latch('state').compareAndSet(0, { mode: 'HALTED' });
    const before = await bus.probe();
    await server.restart({ keepData: false });
    await isBack();
    const after = await bus.probe();
    expect(before.ok && after.ok && before.identity !== after.identity).toBe(true);
    expect(await bus.latch('state').get()).toMatchObject({ version: 0, fields: {} });
  });
});

it('a restart with persistence keeps streams, latches, claims and keys, under another identity', async () => {
  // With everysec a write can be acknowledged while it waits behind an fsync: a kill then loses it (seen here, once in six).
  await begin({ config: { appendonly: 'yes', appendfsync: 'always' } });
  await bus.append(STREAM, { v: '1' }, { idempotencyKey: 'k' });
  expect(await bus.latch('state').compareAndSet(0, { mode: 'HALTED' })).toMatchObject({ outcome: 'committed' });
  expect(await bus.group(STREAM, 'workers').next('a', { minIdleMs: 60_000 })).toMatchObject({ deliveries: 1 });
  const before = await bus.probe();
  await server.restart();
  await isBack();
  const after = await bus.probe();
  expect(before.ok && after.ok && before.identity !== after.identity).toBe(true);
  expect(await bus.append(STREAM, { v: '1' }, { idempotencyKey: 'k' })).toMatchObject({ reason: 'duplicate' });
  expect(await bus.latch('state').get()).toMatchObject({ version: 1 });
  expect(await bus.group(STREAM, 'workers').pending()).toMatchObject([{ consumer: 'a', deliveries: 1 }]);
});

it('a server that is still loading what it kept is no contact, and is used as soon as it is ready', async () => {
  // Each key of a snapshot takes its time, and in between the server answers that it is loading.
  await begin({ config: { 'key-load-delay': '10000', 'loading-process-events-interval-bytes': '1024' } });
  await bus.append(STREAM, { v: '1' });
  await server.commands(Array.from({ length: 200 }, (_, index) => ['SET', `key${index}`, `${index}`.repeat(50)]));
  await server.command('SAVE');
  const restarting = server.restart();
  await eventually(async () => JSON.stringify(await bus.probe()).includes('loading'), { timeoutMs: 10_000 });
  expect(await bus.append(STREAM, { v: '2' })).toMatchObject({ outcome: 'refused' });
  await expect(bus.read(STREAM, FROM_START)).rejects.toBeInstanceOf(BusUnavailableError);
  await restarting;
  await isBack();
  expect(await valuesOf(STREAM, bus)).toEqual(['1']);
});
