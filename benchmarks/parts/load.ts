/** Processes that beat for many exit brains, and one that watches them: what they say of themselves. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';

const SETTLED_WITHIN_MS = 20_000;
const LOOK_AGAIN_MS = 250;

/** What the watchdog has cost so far, and what it sees. */
export interface Cost {
  readonly cpuMs: number;
  readonly services: number;
  readonly doubt: string;
}

/** What the sender has brought onto the bus so far. */
export interface Sent {
  readonly committed: number;
  readonly failed: number;
  /** Last beat of each account that was let die, by its sender's clock: the monotonic clock is one for all processes of a host. */
  readonly died: readonly (readonly [account: string, lastBeatMs: number])[];
}

export interface Load {
  readonly watchdog: { cost(): Promise<Cost> };
  readonly feeder: { tell(kill: readonly number[]): Promise<Sent> };
  /** Waits until the watchdog has seen every brain and is sure of itself. */
  settled(): Promise<Cost>;
  end(): Promise<void>;
}

export function startLoad(url: string, size: number): Load {
  const start = (file: string, ...args: string[]) => fork(join(import.meta.dirname, '..', 'processes', file), [url, ...args]);
  const feeder = start('brainFeeder.js', String(size));
  const watchdog = start('watchdogProcess.js');
  const cost = () => ask<Cost>(watchdog, {});
  return {
    watchdog: { cost },
    feeder: { tell: (kill) => ask<Sent>(feeder, { kill }) },
    settled: () => untilSettled(cost, size),
    end: async () => {
      await Promise.all([feeder, watchdog].map(endOf));
    },
  };
}

function ask<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer as T);
    });
    child.send(message);
  });
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function untilSettled(costOf: () => Promise<Cost>, size: number): Promise<Cost> {
  for (const untilMs = systemClock.monotonicMs() + SETTLED_WITHIN_MS; systemClock.monotonicMs() < untilMs; ) {
    const cost = await costOf();
    if (cost.services === size && cost.doubt === 'none') return cost;
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
  throw new Error(`the watchdog did not settle within ${SETTLED_WITHIN_MS} ms: this machine is too busy to measure anything`);
}
