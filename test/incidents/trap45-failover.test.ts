/** A failover to a replica that has not seen a halt: its state reads ACTIVE, and trading must not resume. Real servers, real sentinels. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { AUDIT, decodeAuditEntry } from '../../src/messages/audit.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat } from '../../src/messages/peerBeat.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import type { RedisServer } from '../../src/rig/redis/server.js';
import { createTradingLease, type TradingLease } from '../../src/tradingLease/lease.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import { eventually } from '../support/eventually.js';

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
}, 30_000);

/** Every answer of the order door, from the halt on. */
class Door {
  readonly #lease: TradingLease;
  permitted = 0;
  asked = 0;
  #open = true;

  constructor(lease: TradingLease) {
    this.#lease = lease;
    this.#ask();
  }

  #ask(): void {
    if (!this.#open) return;
    this.asked += 1;
    if (this.#lease.check(systemClock.monotonicMs(), 'increase') === undefined) this.permitted += 1;
    systemClock.setTimer(5, () => this.#ask());
  }

  close(): void {
    this.#open = false;
  }
}

/** A worker that beats, in the place of a process of its own. */
function beatAsWorker(bus: Bus): () => void {
  let sequence = 0;
  let beating = true;
  const beat = () => {
    if (!beating) return;
    sequence += 1;
    const worker = { account: 'default', identityMatches: true, bookAgeMs: 0, positions: 1 };
    const fields = encodePeerBeat({ peerId: 'w', generation: 'g', sequence, host: 'elsewhere', bootId: 'b', pid: 1, epoch: 1, worker });
    void bus.append(EXIT_WORKER_HEARTBEAT, fields, { key: 'w', notAfterMs: systemClock.monotonicMs() + 125 });
    systemClock.setTimer(100, beat);
  };
  beat();
  return () => {
    beating = false;
  };
}

async function open(url: string): Promise<Bus> {
  const bus = await openBus(url);
  undo.push(() => bus.close());
  return bus;
}

/** The replicas hear nothing of the master any more, and it has not noticed yet: what it takes now, it alone has. */
async function cutOff(master: RedisServer, replicas: readonly RedisServer[]): Promise<void> {
  for (const replica of replicas) replica.signal('SIGSTOP');
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await master.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
}

const haltedAt = (server: RedisServer) => server.command('HGET', TRADING_STATE, 'halted');

describe('trap 45: a failover that forgets a halt', () => {
  it('S7 failover: nobody resumes trading, whoever remembers the halt adds it again, and the audit says so', {
    timeout: 60_000,
  }, async () => {
    const redis = await SentinelRedis.start();
    undo.push(() => redis.dispose());
    const operator = await open(redis.url);
    const armed = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', accounts: ['default'], changedBy: 'operator', changedWallMs: 1 } as const;
    expect(await operator.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(armed))).toEqual({ outcome: 'committed', version: 1 });

    const watchdog = createWatchdog({ bus: await open(redis.url), watchdogId: 'wd' });
    void watchdog.run();
    undo.push(() => watchdog.close());
    const stopBeating = beatAsWorker(await open(redis.url));
    undo.push(async () => stopBeating());
    const lease = createTradingLease({ bus: await open(redis.url), require: ['exit-worker'] });
    undo.push(() => lease.close());
    await eventually(() => lease.state().kind === 'held', { timeoutMs: 10_000 });

    const master = await redis.master();
    const replicas = redis.servers.filter((server) => server !== master);
    await cutOff(master, replicas);
    const stopped = await halt(operator, { kind: 'manual', reason: 'test', by: 'operator', id: 'h1' });
    expect(stopped).toMatchObject({ outcome: 'committed', version: 2 });
    await eventually(() => lease.state().kind === 'halted');
    await eventually(() => watchdog.status().epoch === 1);
    const door = new Door(lease);
    undo.push(async () => door.close());
    await master.kill();
    for (const replica of replicas) replica.signal('SIGCONT');
    // A run in which the replicas had the halt proves nothing.
    expect(await Promise.all(replicas.map(haltedAt))).toEqual(['false', 'false']);

    const promoted = await redis.untilReplaced(master);
    expect(promoted.port).not.toBe(master.port);
    await eventually(async () => (await haltedAt(promoted)) === 'true', { timeoutMs: 20_000 });
    const reading = await eventually(() => readTradingState(operator).catch(() => undefined), { timeoutMs: 10_000 });
    expect(reading.state).toMatchObject({ mode: 'HALTED', epoch: 1, halts: [{ id: 'h1' }] });
    const entries = await eventually(
      async () => {
        const { records } = await operator.read(AUDIT, FROM_START);
        const told = records.flatMap(({ fields }) => {
          const decoded = decodeAuditEntry(fields);
          return decoded.ok && decoded.value.event === 'state.reasserted' ? [decoded.value] : [];
        });
        return told.length > 0 ? told : undefined;
      },
      { timeoutMs: 10_000 },
    );
    expect(entries[0]?.details).toMatchObject({ halts: ['h1'] });
    await eventually(() => door.asked > 50);
    expect(door.permitted).toBe(0);
  });

  it('failover: a master that was replaced grants nothing when it wakes up', { timeout: 60_000 }, async () => {
    const redis = await SentinelRedis.start();
    undo.push(() => redis.dispose());
    const bus = await open(redis.url);
    const master = await redis.master();
    const direct = await open(master.url);
    expect(await direct.probe()).toMatchObject({ ok: true });
    master.signal('SIGSTOP');
    const promoted = await redis.untilReplaced(master);
    await eventually(async () => (await bus.append('zombie:stream', { v: 'new' })).outcome === 'committed', { timeoutMs: 15_000 });
    expect(await promoted.command('XLEN', 'zombie:stream')).toBe(1);
    master.signal('SIGCONT');
    // Until the sentinels have made it a replica it still believes that it is the master; it must prove a copy of what it takes.
    const untilMs = systemClock.monotonicMs() + 3_000;
    let asked = 0;
    while (systemClock.monotonicMs() < untilMs) {
      asked += 1;
      expect(await direct.probe()).toMatchObject({ ok: false });
    }
    expect(asked).toBeGreaterThan(3);
  });
});
