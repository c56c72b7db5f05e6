/** The wire format of the original system on real streams: its producers and consumers are played by a plain Redis client. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../src/alert/alert.js';
import { createPaperBroker, createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { panicClose } from '../../src/emergencyExit/panicClose.js';
import { createExitWorker } from '../../src/emergencyExit/worker.js';
import { createExitBrain } from '../../src/exitBrain/exitBrain.js';
import { AUDIT } from '../../src/messages/audit.js';
import { ORIGINAL_STAMP_TOLERANCE_MS } from '../../src/messages/heartbeat.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { scaledTimings } from '../../src/roles/scale.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { runVenue } from '../../src/venue/command.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import type { Watchdog } from '../../src/watchdog/watchdogFace.js';
import { eventually } from '../support/eventually.js';
import { COMPLETIONS, type Flat, HEARTBEATS, OriginalClient, PANICS } from '../support/originalWire.js';

const SCALE = 4;
const TIMINGS = scaledTimings(SCALE);
const WITHIN = { timeoutMs: 10_000, everyMs: 20 };

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const now = (): number => Date.now();

async function startRedis(): Promise<RedisServer> {
  const server = await RedisServer.start();
  undo.push(() => server.dispose());
  return server;
}

async function busOf(server: RedisServer, prefix = ''): Promise<Bus> {
  const bus = await openBus(`${server.url}${prefix === '' ? '' : `?prefix=${prefix}`}`);
  undo.push(() => bus.close());
  return bus;
}

function original(server: RedisServer, prefix = ''): OriginalClient {
  const client = new OriginalClient(server.port, prefix);
  undo.push(() => client.close());
  return client;
}

async function arm(bus: Bus, change: Partial<TradingState> = {}): Promise<void> {
  const { version } = await bus.latch(TRADING_STATE).get();
  const state: TradingState = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', accounts: ['default'], changedBy: 'operator', ...change };
  const set = await bus.latch(TRADING_STATE).compareAndSet(version, encodeTradingState(state));
  if (set.outcome !== 'committed') throw new Error(JSON.stringify(set));
}

async function watch(bus: Bus, alerts: Alert[] = []): Promise<Watchdog> {
  const alert = { send: async (sent: Alert) => void alerts.push(sent) };
  const watchdog = createWatchdog({ bus, watchdogId: 'w1', alert, ...TIMINGS.watchdog });
  void watchdog.run();
  undo.push(() => watchdog.close());
  await eventually(() => watchdog.status().doubt === undefined, WITHIN);
  return watchdog;
}

async function audited(bus: Bus, event: string): Promise<readonly Flat[]> {
  const { records } = await bus.read(AUDIT, FROM_START, { limit: 10_000 });
  return records.map(({ fields }) => fields).filter((fields) => fields['event'] === event);
}

/** The documented fields of a heartbeat, all in milliseconds. */
const goodBeat = (change: Partial<Record<string, string>> = {}): Flat => {
  const fields: Record<string, string | undefined> = {
    service_id: 'exit_brain',
    status: 'OK',
    active_positions: '2',
    last_decision_ts: String(now()),
    latency_ms: '12',
    ts: String(now()),
    ...change,
  };
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
};

const ACCEPTED_BEATS: readonly (readonly [string, () => Partial<Record<string, string>>])[] = [
  ['milliseconds', () => ({})],
  ['whole seconds', () => ({ ts: String(Math.floor(now() / 1_000)), last_decision_ts: String(Math.floor(now() / 1_000)) })],
  ['seconds with a fraction', () => ({ ts: String(now() / 1_000) })],
  ['milliseconds beside seconds', () => ({ last_decision_ts: String(now() / 1_000) })],
  ['a clock that is a little ahead', () => ({ ts: String(now() + ORIGINAL_STAMP_TOLERANCE_MS - 1_500) })],
  ['a clock that is a little behind', () => ({ ts: String(now() - ORIGINAL_STAMP_TOLERANCE_MS + 1_500) })],
  ['DEGRADED', () => ({ status: 'DEGRADED' })],
  ['no latency', () => ({ latency_ms: undefined })],
  ['fields that nobody knows', () => ({ loop_cycle_ms: '40', pending_exits: '0' })],
];

const REFUSED_BEATS: readonly (readonly [string, () => Partial<Record<string, string>>, string])[] = [
  ['no stamp', () => ({ ts: undefined }), 'ts is missing'],
  ['a stamp of an hour ahead', () => ({ ts: String(now() + 3_600_000) }), 'after the bus took it'],
  ['a stamp of a minute ago', () => ({ ts: String(now() - 60_000) }), 'before the bus took it'],
  ['a stamp in nanoseconds', () => ({ ts: `${now()}000000` }), 'must be a time'],
  ['a stamp in words', () => ({ ts: '2026-02-14T10:00:00Z' }), 'must be a time'],
  ['a stamp below zero', () => ({ ts: `-${now()}` }), 'must be a time'],
  ['a stamp that is no number', () => ({ ts: 'NaN' }), 'must be a time'],
  ['no decision', () => ({ last_decision_ts: undefined }), 'last_decision_ts is missing'],
  ['no status', () => ({ status: undefined }), 'status is missing'],
  ['the status of an older wrapper', () => ({ status: 'ALIVE' }), 'must be one of OK, DEGRADED'],
  ['a farewell that the format does not have', () => ({ status: 'GOODBYE' }), 'must be one of OK, DEGRADED'],
  ['no positions', () => ({ active_positions: undefined }), 'active_positions is missing'],
  ['half a position', () => ({ active_positions: '1.5' }), 'active_positions = "1.5"'],
  ['positions under an older name', () => ({ active_positions: undefined, active_positions_count: '2' }), 'active_positions is missing'],
  ['a schema that nobody knows', () => ({ schema: '9' }), 'schema = "9"'],
  ['our schema without our proof of progress', () => ({ schema: '1' }), 'account is missing'],
];

describe('heartbeats of an original exit brain', () => {
  it('S11: are read in either unit with their documented fields, and refused with the reason on record where they prove nothing', async () => {
    const server = await startRedis();
    const bus = await busOf(server);
    const producer = original(server);
    const watchdog = await watch(bus);
    for (const [name, change] of ACCEPTED_BEATS) await producer.beat(goodBeat({ ...change(), service_id: name }));
    const refused = new Map<string, string>();
    for (const [name, change] of REFUSED_BEATS) refused.set(name, await producer.beat(goodBeat({ ...change(), service_id: name })));
    await producer.beat(goodBeat({ service_id: 'the last' }));
    const seen = await eventually(() => {
      const { services } = watchdog.status();
      return services.some(({ serviceId }) => serviceId === 'the last') ? services : undefined;
    }, WITHIN);
    expect(seen.map(({ serviceId }) => serviceId)).toEqual([...ACCEPTED_BEATS.map(([name]) => name), 'the last']);
    for (const { serviceId, positions, account } of seen) expect([serviceId, positions, account]).toEqual([serviceId, 2, 'default']);
    const record = await eventually(async () => {
      const entries = await audited(bus, 'watchdog.record_not_understood');
      return entries.length >= REFUSED_BEATS.length ? entries : undefined;
    }, WITHIN);
    const causes = new Map(record.map(({ details = '{}', cause = '' }) => [whereOf(details), cause]));
    for (const [name, , problem] of REFUSED_BEATS) expect(causes.get(`${HEARTBEATS} ${refused.get(name)}`), name).toContain(problem);
    expect(record).toHaveLength(REFUSED_BEATS.length);
  });

  it('L1: keep the watchdog quiet while they come, and a brain that falls silent is panicked in the words of the original', async () => {
    const server = await startRedis();
    const bus = await busOf(server);
    const producer = original(server);
    await producer.createGroup(PANICS, 'audit_logger', '$');
    await arm(bus, { services: ['exit_brain'] });
    await watch(bus);
    const beats = 12;
    for (let sent = 0; sent < beats; sent += 1) {
      await producer.beat(goodBeat());
      await systemClock.sleep(TIMINGS.exitBrain.intervalMs);
    }
    expect(await producer.take(PANICS, 'audit_logger')).toBeUndefined();
    const panic = await eventually(() => producer.take(PANICS, 'audit_logger'), WITHIN);
    // What the original's own assertion asks for.
    expect(panic.fields).toMatchObject({ severity: 'CRITICAL', issued_by: 'watchdog', reason: 'EXIT_BRAIN_UNGUARDED' });
    expect(panic.fields['event_id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(Math.abs(Number(panic.fields['ts']) - now())).toBeLessThan(5_000);
  });

  const { unguardedMs, degradedMs, decisionStaleMs } = TIMINGS.watchdog.rules;
  const LIES: readonly (readonly [string, (startedMs: number) => Partial<Record<string, string>>, string, number])[] = [
    [
      'a timer that outlives its loop',
      (startedMs) => ({ last_decision_ts: String(startedMs) }),
      'EXIT_BRAIN_DECISION_STALE',
      decisionStaleMs,
    ],
    // Well before its stamp would be refused for its age.
    ['one beat that is sent over and over', (startedMs) => ({ ts: String(startedMs) }), 'EXIT_BRAIN_UNGUARDED', unguardedMs],
    ['beats from an hour ahead', () => ({ ts: String(now() + 3_600_000) }), 'EXIT_BRAIN_UNGUARDED', unguardedMs],
    ['beats that say DEGRADED', () => ({ status: 'DEGRADED' }), 'EXIT_BRAIN_DEGRADED', degradedMs],
  ];

  it.each(LIES)('trap 8: S11: %s', { timeout: 30_000 }, async (_name, lie, reason, limitMs) => {
    const server = await startRedis();
    const bus = await busOf(server);
    const producer = original(server);
    await arm(bus, { services: ['exit_brain'] });
    await watch(bus);
    await producer.beat(goodBeat());
    const startedMs = now();
    const panic = await eventually(
      async () => {
        await producer.beat(goodBeat(lie(startedMs)));
        return (await producer.all(PANICS))[0];
      },
      { timeoutMs: 15_000, everyMs: 100 },
    );
    expect(panic.fields['reason']).toBe(reason);
    // The tolerance is that of a busy machine.
    expect(Number(panic.id.split('-')[0]) - startedMs).toBeLessThan(limitMs + 2_500);
  });
});

function whereOf(details: string): string {
  const parsed: unknown = JSON.parse(details);
  return typeof parsed === 'object' && parsed !== null && 'where' in parsed ? String(parsed.where) : '';
}

interface WorkerDesk {
  readonly bus: Bus;
  readonly producer: OriginalClient;
  readonly alerts: Alert[];
  readonly venue: VenueClient;
  readonly account: string;
  readonly stop: () => Promise<void>;
}

/** A worker for `account` with two open positions. */
async function work(server: RedisServer, venueUrl: string, account: string, prefix: string): Promise<WorkerDesk> {
  const bus = await busOf(server, prefix);
  const venue = createVenueClient(venueUrl);
  const positions = [
    { symbol: 'BTCUSDT', quantity: 2 },
    { symbol: 'ETHUSDT', quantity: -5 },
  ];
  await venue.seedPositions({ account, positions });
  const broker = createPaperBroker({ url: venueUrl, account, source: 'worker' });
  const alerts: Alert[] = [];
  const stopping = new AbortController();
  const alert = { send: async (sent: Alert) => void alerts.push(sent) };
  const worker = createExitWorker({ bus, broker, account, workerId: 'worker', alert, timings: TIMINGS.exitWorker });
  const running = worker.run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await running;
  };
  undo.push(async () => {
    await stop();
    await broker.close();
    await venue.close();
  });
  return { bus, producer: original(server, prefix), alerts, venue, account, stop };
}

async function startVenue(accounts: readonly string[]): Promise<string> {
  const venue = await runVenue({ accounts });
  undo.push(() => venue.close());
  return venue.url;
}

async function fills({ venue, account }: WorkerDesk): Promise<number> {
  return (await venue.evidence()).events.filter((event) => event.kind === 'fill' && event.account === account).length;
}

const EVENT_ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

const goodPanic = (change: Partial<Record<string, string>> = {}): Flat => {
  const fields: Record<string, string | undefined> = {
    event_id: EVENT_ID,
    reason: 'DRAWDOWN_LIMIT',
    severity: 'CRITICAL',
    issued_by: 'risk_kernel',
    ts: String(now()),
    ...change,
  };
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
};

/** `kept`: the completion bears the id that the producer gave. */
const ACCEPTED_PANICS: readonly (readonly [string, () => Partial<Record<string, string>>, { readonly kept: boolean }?])[] = [
  ['risk_kernel', () => ({})],
  ['exit_brain', () => ({ issued_by: 'exit_brain' })],
  ['ops', () => ({ issued_by: 'ops' })],
  ['watchdog', () => ({ issued_by: 'watchdog' })],
  ['a reason with figures in it', () => ({ reason: 'EXIT_BRAIN_HEARTBEAT MISSING (5.3S)' })],
  ['seconds', () => ({ ts: String(now() / 1_000) })],
  ['an hour old', () => ({ ts: String(now() - 3_600_000) })],
  ['an hour ahead', () => ({ ts: String(now() + 3_600_000) })],
  ['no stamp', () => ({ ts: undefined })],
  ['a stamp that is none', () => ({ ts: 'soon' })],
  ['no reason', () => ({ reason: undefined })],
  ['no severity', () => ({ severity: undefined })],
  ['no event id', () => ({ event_id: undefined }), { kept: false }],
];

const REFUSED_PANICS: readonly (readonly [string, () => Partial<Record<string, string>>, string])[] = [
  ['an issuer that nobody knows', () => ({ issued_by: 'strategy_7' }), 'issued_by = "strategy_7"'],
  ['an issuer in other letters', () => ({ issued_by: 'OPS' }), 'issued_by = "OPS"'],
  ['no issuer', () => ({ issued_by: undefined }), 'issued_by is missing'],
  ['an empty issuer', () => ({ issued_by: '' }), 'issued_by is missing'],
  [
    'the names of before the schema',
    () => ({ issued_by: undefined, source: 'ops', timestamp: String(now() / 1_000) }),
    'issued_by is missing',
  ],
  ['an issuer that only we have', () => ({ issued_by: 'supervisor' }), 'issued_by = "supervisor"'],
  ['a schema that nobody knows', () => ({ schema: '9' }), 'schema = "9"'],
];

describe('panics of an original producer', () => {
  it('S6: close the book whatever is missing but the issuer, and are answered in the words of the original', {
    timeout: 60_000,
  }, async () => {
    const server = await startRedis();
    const accounts = ACCEPTED_PANICS.map((_, index) => `row-${index}`);
    const venueUrl = await startVenue(accounts);
    const rows = await Promise.all(
      ACCEPTED_PANICS.map(async ([name, change, { kept } = { kept: true }], index) => {
        const desk = await work(server, venueUrl, `row-${index}`, `${index}:`);
        await desk.producer.panic(goodPanic(change()));
        const completion = await eventually(async () => (await desk.producer.all(COMPLETIONS))[0], { timeoutMs: 30_000, everyMs: 50 });
        return { name, desk, completion: completion.fields, kept };
      }),
    );
    for (const { name, desk, completion, kept } of rows) {
      expect(await fills(desk), name).toBe(2);
      expect(completion, name).toMatchObject({
        positions_total: '2',
        positions_closed: '2',
        positions_failed: '0',
        failed_symbols: '[]',
      });
      if (kept) expect(completion['event_id'], name).toBe(EVENT_ID);
      else expect(completion['event_id'], name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const [started, ended, tookMs] = ['ts_started', 'ts_completed', 'execution_time_ms'].map((field) => Number(completion[field]));
      expect(Math.abs((ended ?? 0) - now()), name).toBeLessThan(60_000);
      expect((ended ?? 0) - (started ?? 0), name).toBe(tookMs);
      await eventually(async () => (await desk.producer.pending(`emergency_exit_worker:${desk.account}`)) === 0, WITHIN);
    }
    const old = rows.filter(({ desk }) => desk.alerts.some(({ kind }) => kind === 'panic.old')).map(({ name }) => name);
    expect(old).toEqual(['an hour old']);
  });

  it('S6: an issuer that may not ask is refused, alerted, on record and acknowledged, and never stands in the way of the next', async () => {
    const server = await startRedis();
    const desk = await work(server, await startVenue(['default']), 'default', '');
    const ids: string[] = [];
    for (const [, change] of REFUSED_PANICS) ids.push(await desk.producer.panic(goodPanic(change())));
    const record = await eventually(async () => {
      const entries = await audited(desk.bus, 'panic.malformed');
      return entries.length >= REFUSED_PANICS.length ? entries : undefined;
    }, WITHIN);
    REFUSED_PANICS.forEach(([name, , problem], index) => expect(record[index]?.['cause'], name).toContain(problem));
    await eventually(async () => (await desk.producer.pending('emergency_exit_worker')) === 0, WITHIN);
    const alerted = desk.alerts.filter(({ kind }) => kind === 'panic.malformed').map(({ details }) => details['subject']);
    expect(alerted).toEqual(ids);
    expect([await fills(desk), (await readTradingState(desk.bus)).state.halts]).toEqual([0, []]);

    await desk.producer.panic(goodPanic());
    await eventually(async () => (await desk.producer.all(COMPLETIONS)).length === 1, WITHIN);
    expect(await fills(desk)).toBe(2);
  });

  it('trap 4: S9: sixteen of them with ids of their own are one incident and one close', async () => {
    const server = await startRedis();
    const desk = await work(server, await startVenue(['default']), 'default', '');
    await arm(desk.bus);
    for (let sent = 0; sent < 16; sent += 1) await desk.producer.panic(goodPanic({ event_id: `${EVENT_ID.slice(0, -2)}${10 + sent}` }));
    await eventually(async () => (await desk.producer.all(COMPLETIONS)).length > 0, WITHIN);
    await eventually(async () => (await desk.producer.pending('emergency_exit_worker')) === 0, WITHIN);
    expect([await fills(desk), (await desk.producer.all(COMPLETIONS)).map(({ fields }) => fields['incident'])]).toEqual([2, ['default@1']]);
  });

  it('trap 44: S6: one that was known when trading was armed never closes the book of today, one that comes later does', async () => {
    const server = await startRedis();
    const venueUrl = await startVenue(['default']);
    const producer = original(server);
    const id = await producer.panic(goodPanic({ reason: 'LAST_YEAR' }));
    await arm(await busOf(server), { panicsUntilMs: Number(id.split('-')[0]) });
    const desk = await work(server, venueUrl, 'default', '');
    const [stale] = await eventually(async () => {
      const entries = await audited(desk.bus, 'panic.stale_epoch');
      return entries.length > 0 ? entries : undefined;
    }, WITHIN);
    expect(stale?.['cause']).toContain('LAST_YEAR');
    await eventually(async () => (await producer.pending('emergency_exit_worker')) === 0, WITHIN);
    expect([await fills(desk), desk.alerts.some(({ kind }) => kind === 'panic.stale_epoch')]).toEqual([0, true]);
    await producer.panic(goodPanic());
    await eventually(async () => (await producer.all(COMPLETIONS)).length === 1, WITHIN);
    expect(await fills(desk)).toBe(2);
  });

  it('S6: the watchdog takes one up, and sends it again in words that name its epoch until its completion is seen', async () => {
    const server = await startRedis();
    const bus = await busOf(server);
    const producer = original(server);
    await producer.panic(goodPanic({ reason: 'LAST_YEAR' }));
    const last = await producer.panic(goodPanic({ reason: 'LAST_WEEK' }));
    await arm(bus, { panicsUntilMs: Number(last.split('-')[0]) });
    const watchdog = await watch(bus);
    expect(watchdog.status().openPanics).toEqual([]);
    const laterId = EVENT_ID.replace('7c', '8d');
    await producer.panic(goodPanic({ event_id: laterId }));
    const again = await eventually(async () => (await producer.all(PANICS)).find(({ fields }) => fields['resend'] === '1'), WITHIN);
    expect(again.fields).toMatchObject({ event_id: laterId, epoch: '1', issued_by: 'risk_kernel', severity: 'CRITICAL' });
  });
});

describe('a consumer of the original', () => {
  it('S7: finds the halt under its own names, and its ways to clear one resume nothing', { timeout: 30_000 }, async () => {
    const server = await startRedis();
    const desk = await work(server, await startVenue(['default']), 'default', '');
    await arm(desk.bus);
    await watch(desk.bus);
    expect(await desk.producer.state()).toMatchObject({ halted: 'false', requires_manual_reset: 'false', requires_manual_ack: 'false' });
    await desk.producer.panic(goodPanic());
    await eventually(async () => (await desk.producer.all(COMPLETIONS)).length === 1, WITHIN);
    const state = await desk.producer.state();
    // Its worker's names, which its own assertion reads, and those of its written schema.
    expect(state).toMatchObject({
      halted: 'true',
      requires_manual_reset: 'true',
      event_id: EVENT_ID,
      reason: 'DRAWDOWN_LIMIT',
      source: 'worker',
    });
    expect(state).toMatchObject({ requires_manual_ack: 'true', halted_by: 'worker' });
    for (const stamp of [state['ts'], state['halted_at']]) expect(Math.abs(Number(stamp) - now())).toBeLessThan(60_000);

    await desk.producer.clearHalt('DEL');
    await eventually(async () => (await readTradingState(desk.bus)).state.halts.some(({ incident }) => incident === 'default@1'), WITHIN);
    await desk.producer.clearHalt('HSET');
    await expect(readTradingState(desk.bus)).rejects.toThrow('checksum');
  });

  it('reads our beats and panics by its own names, in a group of its own, each once', async () => {
    const server = await startRedis();
    const bus = await busOf(server);
    const consumer = original(server);
    await consumer.createGroup(PANICS, 'audit_logger', '0');
    await consumer.createGroup(HEARTBEATS, 'monitor', '0');
    await consumer.panic(goodPanic());
    const asked = await panicClose(bus, { reason: 'limit', by: 'operator' });
    const taken = [];
    for (let n = 0; n < 3; n += 1) taken.push((await consumer.take(PANICS, 'audit_logger'))?.fields['event_id']);
    expect(taken).toEqual([EVENT_ID, asked.eventId, undefined]);

    const brain = createExitBrain({ bus, serviceId: 'exit_brain', intervalMs: 50 });
    undo.push(() => brain.close());
    brain.decided({ activePositions: 3, latencyMs: 7 });
    const beat = await eventually(async () => {
      const next = await consumer.take(HEARTBEATS, 'monitor');
      return next?.fields['active_positions'] === '3' ? next.fields : undefined;
    }, WITHIN);
    expect(beat).toMatchObject({ service_id: 'exit_brain', status: 'OK', active_positions: '3', latency_ms: '7' });
    for (const stamp of ['ts', 'last_decision_ts']) expect(Math.abs(Number(beat[stamp]) - now())).toBeLessThan(60_000);
  });
});
