/** Thousands of services in one stream: beats are kept by time, so a pause of the watchdog loses none of them. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';
import { decodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import type { Watchdog } from '../../src/watchdog/watchdogFace.js';
import { eventually } from '../support/eventually.js';
import { type BusName, type BusPlace, EVERY_BUS } from '../support/everyBus.js';

/** On Redis each beat is a command with an answer, and this one process has the work of them all. */
const SIZES = {
  'a journal': { count: 10_000, unguardedMs: 1_500 },
  Redis: { count: 3_000, unguardedMs: 5_000 },
};
const PAUSE_MS = 200;
const DEAD = 1_777;

/** Thousands of appends of one moment wait for each other. */
const APPEND_TIMEOUT_MS = 10_000;

let services: number;
let place: BusPlace;
let bus: Bus;
let watchdog: Watchdog;

async function begin(name: BusName, start: () => Promise<BusPlace>): Promise<void> {
  const { count, unguardedMs } = SIZES[name];
  services = count;
  place = await start();
  bus = await place.open();
  watchdog = createWatchdog({
    bus: await place.open(),
    rules: { missingMs: unguardedMs, unguardedMs },
    reconnectAllowanceMs: 500,
  });
}

/** This process does the work of thousands: its own reads may be late. */
const patiently = <T extends object>(read: () => Promise<T>) => eventually(read, { timeoutMs: 20_000 });

/** One beat of each service but `dead`, all before anything else in this process gets to run: the watchdog is paused for as long. */
function beatOfAll(sequence: number, dead?: number): void {
  const fromMs = systemClock.monotonicMs();
  for (let service = 0; service < services; service += 1) {
    if (service === dead) continue;
    const fields = encodeBrainBeat({
      serviceId: `brain-${service}`,
      account: `account-${service}`,
      generation: `generation-${service}`,
      sequence,
      decisionSequence: sequence,
      status: 'OK',
      activePositions: service === services - 1 ? sequence : 1,
      lastDecisionWallMs: systemClock.wallMs(),
      latencyMs: 1,
      wallMs: systemClock.wallMs(),
    });
    void bus.append(EXIT_BRAIN_HEARTBEAT, fields, { key: `brain-${service}`, timeoutMs: APPEND_TIMEOUT_MS });
  }
  while (systemClock.monotonicMs() - fromMs < PAUSE_MS);
}

async function panickedAccounts(): Promise<readonly string[]> {
  const { records } = await patiently(() => bus.read(PANIC_CLOSE, FROM_START));
  const accounts = records.map((record) => {
    const decoded = decodePanicClose(record.fields);
    return decoded.ok ? (decoded.value.scope ?? '') : decoded.problem;
  });
  return [...new Set(accounts)];
}

/** The last brain counts its beats in its positions. */
function hasRead(sequence: number): boolean {
  return watchdog.status().services.some(({ serviceId, positions }) => serviceId === `brain-${services - 1}` && positions === sequence);
}

function isSureOfAll(): boolean {
  const status = watchdog.status();
  return status.doubt === undefined && status.services.length === services;
}

describe.each(EVERY_BUS)('trap 48: on %s', (name, start) => {
  afterEach(async () => {
    await watchdog.close();
    await place.remove();
  });

  it('trap 48: S8: thousands of services in one stream, and a watchdog that pauses over and over sees every beat', {
    timeout: 90_000,
  }, async () => {
    await begin(name, start);
    void watchdog.run();
    await eventually(() => watchdog.status().doubt === undefined);

    let cursor = await bus.end(EXIT_BRAIN_HEARTBEAT);
    for (let sequence = 1; sequence <= 3; sequence += 1) {
      beatOfAll(sequence);
      await eventually(() => hasRead(sequence) && isSureOfAll(), { timeoutMs: 20_000 });
      expect(await panickedAccounts()).toEqual([]);
    }

    let count = 0;
    for (let more = true; more; ) {
      const from = cursor;
      const result = await patiently(() => bus.read(EXIT_BRAIN_HEARTBEAT, from, { limit: 1_000 }));
      expect(result.corrupt).toEqual([]);
      count += result.records.length;
      cursor = result.cursor;
      more = result.more;
    }
    expect(count).toBe(3 * services);

    for (let sequence = 4; (await panickedAccounts()).length === 0; sequence += 1) {
      expect(sequence).toBeLessThan(30);
      beatOfAll(sequence, DEAD);
      await eventually(() => hasRead(sequence) && isSureOfAll(), { timeoutMs: 20_000 });
    }
    expect(await panickedAccounts()).toEqual([`account-${DEAD}`]);
  });
});
