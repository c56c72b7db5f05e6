/** Ten thousand services in one stream of a journal: beats are kept by time, so a pause of the watchdog loses none of them. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';
import { decodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { createWatchdog, type Watchdog } from '../../src/watchdog/watchdog.js';
import { eventually } from '../support/eventually.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';

const SERVICES = 10_000;
const PAUSE_MS = 200;
const UNGUARDED_MS = 1_500;
const DEAD = 7_777;

let directory: string;
let bus: Bus;
let watched: Bus;
let watchdog: Watchdog;

beforeEach(async () => {
  directory = fastTemporaryDirectory();
  bus = await openJournal(directory);
  watched = await openJournal(directory);
  watchdog = createWatchdog({
    bus: watched,
    rules: { missingMs: UNGUARDED_MS, unguardedMs: UNGUARDED_MS },
    reconnectAllowanceMs: 500,
  });
});

afterEach(async () => {
  await watchdog.close();
  await bus.close();
  await watched.close();
  rmSync(directory, { recursive: true });
});

/** One beat of each service but `dead`, all before anything else in this process gets to run: the watchdog is paused for as long. */
function beatOfAll(sequence: number, dead?: number): void {
  const fromMs = systemClock.monotonicMs();
  for (let service = 0; service < SERVICES; service += 1) {
    if (service === dead) continue;
    const fields = encodeBrainBeat({
      serviceId: `brain-${service}`,
      account: `account-${service}`,
      generation: `generation-${service}`,
      sequence,
      decisionSequence: sequence,
      status: 'OK',
      activePositions: service === SERVICES - 1 ? sequence : 1,
      lastDecisionWallMs: systemClock.wallMs(),
      latencyMs: 1,
      wallMs: systemClock.wallMs(),
    });
    void bus.append(EXIT_BRAIN_HEARTBEAT, fields, { key: `brain-${service}` });
  }
  while (systemClock.monotonicMs() - fromMs < PAUSE_MS);
}

async function panickedAccounts(): Promise<readonly string[]> {
  const { records } = await bus.read(PANIC_CLOSE, FROM_START);
  const accounts = records.map((record) => {
    const decoded = decodePanicClose(record.fields);
    return decoded.ok ? (decoded.value.scope ?? '') : decoded.problem;
  });
  return [...new Set(accounts)];
}

/** The last brain counts its beats in its positions. */
function hasRead(sequence: number): boolean {
  return watchdog.status().services.some(({ serviceId, positions }) => serviceId === `brain-${SERVICES - 1}` && positions === sequence);
}

function isSureOfAll(): boolean {
  const { doubt, services } = watchdog.status();
  return doubt === undefined && services.length === SERVICES;
}

it('trap 48: S8: ten thousand services in one stream, and a watchdog that pauses over and over sees every beat', {
  timeout: 60_000,
}, async () => {
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
    const result = await bus.read(EXIT_BRAIN_HEARTBEAT, cursor, { limit: 5_000 });
    expect(result.corrupt).toEqual([]);
    count += result.records.length;
    cursor = result.cursor;
    more = result.more;
  }
  expect(count).toBe(3 * SERVICES);

  for (let sequence = 4; (await panickedAccounts()).length === 0; sequence += 1) {
    expect(sequence).toBeLessThan(30);
    beatOfAll(sequence, DEAD);
    await eventually(() => hasRead(sequence) && isSureOfAll(), { timeoutMs: 20_000 });
  }
  expect(await panickedAccounts()).toEqual([`account-${DEAD}`]);
});
