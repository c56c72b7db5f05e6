/** Processes that beat for many exit brains, and one that watches them: what they say of themselves. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';

const SETTLED_WITHIN_MS = 20_000;
const LOOK_AGAIN_MS = 250;

/** What the watchdog sees. */
export interface Sight {
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
  readonly watchdog: {
    /** What it has used of a core so far, in ms. */
    cost(): Promise<number>;
    sight(): Promise<Sight>;
  };
  readonly feeder: { tell(kill: readonly number[]): Promise<Sent> };
  /** Waits until the watchdog has seen every brain and is sure of itself. False: it was not within 20 s, the machine is too busy. */
  settled(): Promise<boolean>;
  end(): Promise<void>;
}

/** Resolves when both are on the bus: what would be in each other's way while they start is measured by nobody. */
export async function startLoad(url: string, size: number): Promise<Load> {
  const watchdog = await started('watchdogProcess.js', url);
  const feeder = await started('brainFeeder.js', url, String(size));
  const sight = () => ask<Sight>(watchdog, { about: 'sight' });
  return {
    watchdog: { cost: () => ask<number>(watchdog, { about: 'cost' }), sight },
    feeder: { tell: (kill) => ask<Sent>(feeder, { kill }) },
    settled: () => untilSettled(sight, size),
    end: async () => {
      await Promise.all([feeder, watchdog].map(endOf));
    },
  };
}

async function started(file: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, '..', 'processes', file), args);
  await answerOf(child);
  return child;
}

async function ask<T>(child: ChildProcess, message: object): Promise<T> {
  const answer = answerOf(child);
  child.send(message);
  return (await answer) as T;
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer);
    });
  });
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function untilSettled(sightOf: () => Promise<Sight>, size: number): Promise<boolean> {
  for (const untilMs = systemClock.monotonicMs() + SETTLED_WITHIN_MS; systemClock.monotonicMs() < untilMs; ) {
    const { services, doubt } = await sightOf();
    if (services === size && doubt === 'none') return true;
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
  return false;
}
