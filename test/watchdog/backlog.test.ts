/** What a watchdog does while it reads up on a long backlog: it goes on beating, accuses nobody falsely, and finds who died. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import { type Bus, type BusRecord, FROM_START } from '../../src/bus/bus.js';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';
import { decodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { encodeTradingState, TRADING_STATE } from '../../src/messages/tradingState.js';
import { Tail } from '../../src/watchdog/tail.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import type { Watchdog } from '../../src/watchdog/watchdogFace.js';
import { eventually } from '../support/eventually.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';

const SERVICES = 200;
const BEATS_EACH = 250;
const PEER_BEAT_MS = 25;
const UNGUARDED_MS = 1_500;
const DEAD = 13;

describe('a tail with more to read', () => {
  const batches = 3_000;
  let reads = 0;
  const options = {
    stream: 's',
    from: 'start',
    clock: systemClock,
    blockMs: 250,
    retryMs: 50,
    wake: () => {},
    take: (_record: BusRecord) => {},
    takeCorrupt: () => {},
    failed: () => {},
    bus: {
      end: async () => FROM_START,
      read: async () => {
        reads += 1;
        return { records: [], corrupt: [], cursor: { file: reads }, contactMs: 0, more: reads < batches };
      },
    },
  } as const;

  beforeEach(() => {
    reads = 0;
  });

  it('L1: lets everything else in its process run between two batches while it follows', async () => {
    const stop = new AbortController();
    const following = new Tail(options).follow(stop.signal);
    await systemClock.sleep(0);
    expect(reads).toBeLessThan(batches);
    stop.abort();
    await following;
  });

  it('L1: lets everything else in its process run between two batches while it reads to the end', async () => {
    const reading = new Tail(options).readToEnd();
    await systemClock.sleep(0);
    expect(reads).toBeLessThan(batches);
    reads = batches;
    await reading;
  });

  it('L1: shares the work between both of its readers', async () => {
    const stop = new AbortController();
    const tail = new Tail(options);
    const following = tail.follow(stop.signal);
    reads = batches - 20;
    await tail.readToEnd();
    stop.abort();
    await following;
    expect(reads).toBeLessThanOrEqual(batches + 2);
  });
});

describe('a watchdog with a long backlog', () => {
  let directory: string;
  let bus: Bus;
  let watched: Bus;
  let watchdog: Watchdog;
  const sequences = new Map<number, number>();

  beforeEach(async () => {
    directory = fastTemporaryDirectory();
    bus = await openJournal(directory);
    watched = await openJournal(directory);
    watchdog = createWatchdog({
      bus: watched,
      watchdogId: 'w1',
      peerBeatMs: PEER_BEAT_MS,
      rules: { missingMs: UNGUARDED_MS, unguardedMs: UNGUARDED_MS },
      reconnectAllowanceMs: 400,
    });
    sequences.clear();
  });

  afterEach(async () => {
    await watchdog.close();
    await bus.close();
    await watched.close();
    rmSync(directory, { recursive: true });
  });

  function beat(service: number): void {
    const sequence = (sequences.get(service) ?? 0) + 1;
    sequences.set(service, sequence);
    const fields = encodeBrainBeat({
      serviceId: `brain-${service}`,
      account: `account-${service}`,
      generation: `generation-${service}`,
      sequence,
      decisionSequence: sequence,
      status: 'OK',
      activePositions: sequence,
      lastDecisionWallMs: systemClock.wallMs(),
      latencyMs: 1,
      wallMs: systemClock.wallMs(),
    });
    void bus.append(EXIT_BRAIN_HEARTBEAT, fields, { key: `brain-${service}` });
  }

  /** All at once: nothing else in this process runs meanwhile, and so the watchdog stalls for as long. */
  function flood(): void {
    for (let round = 0; round < BEATS_EACH; round += 1) for (let service = 0; service < SERVICES; service += 1) beat(service);
  }

  /** Everybody goes on but one, whose last beat is the backlog's. */
  function theOthersBeat(): void {
    for (let service = 0; service < SERVICES; service += 1) if (service !== DEAD) beat(service);
  }

  function hasReadTheBacklog(): boolean {
    const { doubt, services } = watchdog.status();
    if (doubt !== undefined || services.length !== SERVICES) return false;
    return services.some(({ serviceId, positions }) => serviceId === `brain-${DEAD}` && positions === BEATS_EACH);
  }

  async function panickedAccounts(): Promise<readonly string[]> {
    const { records } = await bus.read(PANIC_CLOSE, FROM_START);
    return [
      ...new Set(
        records.map(({ fields }) => {
          const decoded = decodePanicClose(fields);
          return decoded.ok ? (decoded.value.scope ?? '') : decoded.problem;
        }),
      ),
    ];
  }

  async function beatsOfItsOwn(): Promise<number> {
    return (await bus.read(WATCHDOG_HEARTBEAT, FROM_START, { limit: 100_000 })).records.length;
  }

  /** Returns how often the watchdog beat until it had read the backlog. */
  async function readUp(): Promise<number> {
    const before = await beatsOfItsOwn();
    let during = before;
    await eventually(
      async () => {
        if (hasReadTheBacklog()) return true;
        during = await beatsOfItsOwn();
        theOthersBeat();
        return false;
      },
      { timeoutMs: 30_000, everyMs: 20 },
    );
    return during - before;
  }

  async function findsOnlyTheDead(): Promise<void> {
    await eventually(
      async () => {
        theOthersBeat();
        return (await panickedAccounts()).length > 0;
      },
      { timeoutMs: 15_000, everyMs: 20 },
    );
    expect(await panickedAccounts()).toEqual([`account-${DEAD}`]);
    // A record that finds its bus closed is tried again for ever, also in the tests that follow.
    await eventually(async () => (await readAudit(bus)).entries.some(({ incident }) => incident?.startsWith(`account-${DEAD}@`)));
  }

  it('S8, L1: reads up on it without a false panic, beats all the while, and then panics for who is dead', {
    timeout: 60_000,
  }, async () => {
    void watchdog.run();
    await eventually(() => watchdog.status().doubt === undefined);
    flood();
    expect(await readUp()).toBeGreaterThanOrEqual(3);
    await findsOnlyTheDead();
  });

  it('S8, L1: started behind it and asked for the last beat of each, beats all the while and panics for the dead alone', {
    timeout: 60_000,
  }, async () => {
    flood();
    const services = Array.from({ length: SERVICES }, (_, service) => `brain-${service}`);
    const accounts = services.map((_, service) => `account-${service}`);
    const state = { epoch: 1, mode: 'ACTIVE', halts: [], accounts, services, changedBy: 'test', changedWallMs: 1 } as const;
    expect(await bus.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(state))).toMatchObject({ outcome: 'committed' });
    void watchdog.run();
    expect(await readUp()).toBeGreaterThanOrEqual(3);
    await findsOnlyTheDead();
  });
});
