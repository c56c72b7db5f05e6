/** The breakers of one strategy in several real processes on one journal. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { breakerLatch } from '../../src/messages/breaker.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const STRATEGY = new URL('../fixtures/breakers/strategy.mjs', import.meta.url);
const TRIPPED = 'refused circuit_breaker_consecutive_losses';
/** What was read longer ago does not count: by then a process that heard nothing refuses too. */
const MAX_STALENESS_MS = 1_000;

const sentBy = (child: TestChild): number[] => child.lines.filter((line) => line.startsWith('sent ')).map((line) => Number(line.slice(5)));

describe('the breakers of one strategy in several processes', () => {
  let directory: string;
  let bus: Bus;
  const children: TestChild[] = [];
  const start = async () => {
    const child = TestChild.node(STRATEGY, `journal:${directory}`);
    children.push(child);
    await child.line('ready');
    return child;
  };
  const stored = async () => (await bus.latch(breakerLatch('mean-reversion')).get()).fields['trips'] ?? '';
  const isTripped = async () => (await stored()).includes('consecutive_losses');

  beforeEach(async () => {
    directory = temporaryDirectory();
    bus = await openBus(`journal:${directory}`);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
    await bus.close();
    rmSync(directory, { recursive: true });
  });

  it('S1, S7: what trips in one stops them all, a restart does not end it, and a reset in one is heard by all', async () => {
    const [first, second] = [await start(), await start()];
    for (const child of [first, second]) await eventually(() => sentBy(child).length > 5);
    first.signal('SIGUSR2');
    await eventually(isTripped);
    const committedMs = systemClock.monotonicMs();
    for (const child of [first, second]) await child.line(TRIPPED);
    first.signal('SIGKILL');
    await first.end();

    const again = await start();
    await again.line(TRIPPED);
    expect(sentBy(again)).toEqual([]);
    expect(sentBy(second).filter((sentMs) => sentMs > committedMs + MAX_STALENESS_MS)).toEqual([]);
    expect(second.lines.at(-1)).toBe(TRIPPED);

    const before = sentBy(second).length;
    again.signal('SIGHUP');
    await again.line('reset reset');
    for (const child of [again, second]) await eventually(() => sentBy(child).length > (child === second ? before : 0));
    expect(await isTripped()).toBe(false);
  });

  it('S3: one that stood still sends nothing on what it knew before', async () => {
    const [first, frozen] = [await start(), await start()];
    await eventually(() => sentBy(frozen).length > 5);
    frozen.signal('SIGSTOP');
    const stoppedMs = systemClock.monotonicMs();
    first.signal('SIGUSR2');
    await eventually(isTripped);
    await eventually(() => systemClock.monotonicMs() > stoppedMs + 2 * MAX_STALENESS_MS, { timeoutMs: 10_000 });
    const continuedMs = systemClock.monotonicMs();
    frozen.signal('SIGCONT');
    await frozen.line(TRIPPED);
    expect(sentBy(frozen).filter((sentMs) => sentMs >= continuedMs)).toEqual([]);
  });
});
