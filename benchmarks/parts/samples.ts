/** What the benchmarks of buses have in common: a heartbeat, the time of one call, and the time until another process is awake. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import type { Fields } from '../../src/messages/fields.js';
import { median } from '../budget.js';

export const nowMs = () => systemClock.monotonicMs();

const WAKE_UPS = 60;
/** Long enough for the reader to be waiting again. */
const PAUSE_MS = 7;

export function beat(sequence: number): Fields {
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

/** The time of each of `count` calls, one after the other, in µs. */
export async function microsOf(count: number, call: (sequence: number) => unknown): Promise<number[]> {
  const micros: number[] = [];
  for (let sequence = 0; sequence < count; sequence += 1) {
    const startedMs = nowMs();
    await call(sequence);
    micros.push((nowMs() - startedMs) * 1_000);
  }
  return micros;
}

async function childReader(kind: string, place: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, '..', 'processes', 'reader.js'), [kind, place], { execArgv: [] });
  await once(child, 'message');
  return child;
}

/** Sends one record at a time, and takes from the child when it saw it: the monotonic clock is one for all processes of a host. */
export async function wakeUpMs(kind: string, place: string, send: (index: number) => unknown): Promise<number> {
  const child = await childReader(kind, place);
  const delays: number[] = [];
  for (let index = 0; index < WAKE_UPS; index += 1) {
    await systemClock.sleep(PAUSE_MS);
    const seen = once(child, 'message');
    const sentMs = nowMs();
    await send(index);
    const answer: readonly unknown[] = await seen;
    delays.push(Number(answer[0]) - sentMs);
  }
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  return median(delays);
}
