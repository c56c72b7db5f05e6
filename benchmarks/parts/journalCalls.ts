/** The journal beside the bare system calls. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '../../src/bus/openBus.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { type BudgetRow, budgetRow, median } from '../budget.js';
import { BARE_FILE } from './bare.js';
import { beat, microsOf, wakeUpMs } from './samples.js';

const ROUNDS = 5;
const BEATS = 3_000;

async function heartbeatMicros(directory: string): Promise<number> {
  const bus = await openBus(`journal:${directory}`);
  const micros = await microsOf(BEATS, (sequence) => bus.append(EXIT_BRAIN_HEARTBEAT, beat(sequence), { key: 'mean-reversion' }));
  await bus.close();
  return median(micros);
}

async function bareWriteMicros(directory: string): Promise<number> {
  const fd = openSync(join(directory, 'bare'), 'a');
  const micros = await microsOf(BEATS, (sequence) => writeSync(fd, `\n${JSON.stringify(beat(sequence))}`));
  closeSync(fd);
  return median(micros);
}

async function busWakeUpMs(directory: string): Promise<number> {
  const url = `journal:${directory}`;
  const bus = await openBus(url);
  const ms = await wakeUpMs('bus', url, (index) => bus.append(EXIT_BRAIN_HEARTBEAT, beat(index)));
  await bus.close();
  return ms;
}

function bareWakeUpMs(directory: string): Promise<number> {
  return wakeUpMs('file', directory, (index) => writeFileSync(join(directory, BARE_FILE), String(index)));
}

async function inNewDirectory<T>(use: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'failflat-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export async function journalRows(): Promise<BudgetRow[]> {
  const beats: number[] = [];
  const bareWrites: number[] = [];
  const wakeUps: number[] = [];
  const bareWakeUps: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    beats.push(await inNewDirectory(heartbeatMicros));
    bareWrites.push(await inNewDirectory(bareWriteMicros));
    wakeUps.push(await inNewDirectory(busWakeUpMs));
    bareWakeUps.push(await inNewDirectory(bareWakeUpMs));
  }
  return [
    budgetRow('journal heartbeat p50 µs', 25, beats, { 'bare writeSync': median(bareWrites) }),
    budgetRow('journal wake-up in another process p50 ms', 5, wakeUps, { 'bare fs.watch': median(bareWakeUps) }),
  ];
}
