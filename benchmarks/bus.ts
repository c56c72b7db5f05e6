/** What a journal heartbeat costs its sender, and how soon a reader in another process is awake; beside the bare system calls. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, watch, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '../src/bus/openBus.js';
import { systemClock } from '../src/clock.js';
import { type BudgetRow, budgetRow, median } from './budget.js';

const ROUNDS = 5;
const BEATS = 3_000;
const WAKE_UPS = 60;
const STREAM = 'exit_brain:heartbeat';

const nowMs = () => systemClock.monotonicMs();

function beat(sequence: number) {
  return {
    schema: '1',
    service_id: 'mean-reversion',
    account: 'default',
    generation: '5a3fbb8e-9a41-4c4e-a3f0-b7f5f8a3f4ce',
    sequence: String(sequence),
    decision_sequence: String(sequence),
    status: 'OK',
    active_positions: '3',
    last_decision_ts: '1440374400000',
    latency_ms: '12',
    ts: '1440374400000',
  };
}

async function heartbeatMicros(directory: string): Promise<number> {
  const bus = await openBus(`journal:${directory}`);
  const micros: number[] = [];
  for (let sequence = 0; sequence < BEATS; sequence += 1) {
    const fields = beat(sequence);
    const startedMs = nowMs();
    await bus.append(STREAM, fields, { key: 'mean-reversion' });
    micros.push((nowMs() - startedMs) * 1_000);
  }
  await bus.close();
  return median(micros);
}

function bareWriteMicros(directory: string): number {
  const fd = openSync(join(directory, 'bare'), 'a');
  const micros: number[] = [];
  for (let sequence = 0; sequence < BEATS; sequence += 1) {
    const fields = beat(sequence);
    const startedMs = nowMs();
    writeSync(fd, `\n${JSON.stringify(fields)}`);
    micros.push((nowMs() - startedMs) * 1_000);
  }
  closeSync(fd);
  return median(micros);
}

async function childReader(kind: string, directory: string): Promise<ChildProcess> {
  const child = fork(new URL(import.meta.url).pathname, [kind, directory], { execArgv: [] });
  await once(child, 'message');
  return child;
}

/** Sends one record at a time, and takes from the child when it saw it: the monotonic clock is one for all processes of a host. */
async function wakeUpMs(kind: string, directory: string): Promise<number> {
  const child = await childReader(kind, directory);
  const bus = await openBus(`journal:${directory}`);
  const delays: number[] = [];
  for (let index = 0; index < WAKE_UPS; index += 1) {
    await systemClock.sleep(7);
    const seen = once(child, 'message');
    const sentMs = nowMs();
    if (kind === 'bare') writeFileSync(join(directory, 'bare-watched'), String(index));
    else await bus.append(STREAM, { v: String(index) });
    const answer: readonly unknown[] = await seen;
    delays.push(Number(answer[0]) - sentMs);
  }
  await bus.close();
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  return median(delays);
}

async function readInChild(kind: string, directory: string): Promise<void> {
  if (kind === 'bare') {
    let known = '';
    watch(directory, () => {
      const content = readFileSync(join(directory, 'bare-watched'), { encoding: 'utf8', flag: 'a+' });
      if (content === known || content === '') return;
      known = content;
      process.send?.(nowMs());
    });
    process.send?.('ready');
    return;
  }
  const bus = await openBus(`journal:${directory}`);
  let cursor = await bus.end(STREAM);
  process.send?.('ready');
  for (;;) {
    const result = await bus.read(STREAM, cursor, { blockMs: 2_000 });
    cursor = result.cursor;
    if (result.records.length > 0) process.send?.(nowMs());
  }
}

async function inNewDirectory<T>(use: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'failflat-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export async function run(): Promise<readonly BudgetRow[]> {
  const beats: number[] = [];
  const bareWrites: number[] = [];
  const wakeUps: number[] = [];
  const bareWakeUps: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    beats.push(await inNewDirectory(heartbeatMicros));
    bareWrites.push(await inNewDirectory(bareWriteMicros));
    wakeUps.push(await inNewDirectory((directory) => wakeUpMs('journal', directory)));
    bareWakeUps.push(await inNewDirectory((directory) => wakeUpMs('bare', directory)));
  }
  return [
    budgetRow('journal heartbeat p50 µs', 25, beats, { 'bare writeSync': median(bareWrites) }),
    budgetRow('journal wake-up in another process p50 ms', 5, wakeUps, { 'bare fs.watch': median(bareWakeUps) }),
  ];
}

const [kind, directory] = process.argv.slice(2);
if (process.send !== undefined && kind !== undefined && directory !== undefined) await readInChild(kind, directory);
