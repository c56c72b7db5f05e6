/** The exit brain's loop: what is no decision must not look like one. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { silentLogger } from '../../src/logger.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { systemRandom } from '../../src/random.js';
import { type ExitBrainSeams, runExitBrainRole } from '../../src/roles/exitBrainRole.js';
import { eventually } from '../support/eventually.js';

let stopping = new AbortController();
let running: Promise<void> = Promise.resolve();
let bus: Bus | undefined;
afterEach(async () => {
  stopping.abort();
  await running;
  await bus?.close();
});

async function start(seams: ExitBrainSeams): Promise<() => Promise<BrainBeat | undefined>> {
  stopping = new AbortController();
  const name = `memory:${systemRandom.id()}`;
  const opened = await openBus(name);
  bus = opened;
  const config = { bus: name, broker: 'paper:http://127.0.0.1:9', serviceId: 'b1', scale: 20 };
  running = runExitBrainRole(config, { signal: stopping.signal, clock: systemClock, logger: silentLogger, seams });
  return async () => {
    const record = await opened.latest(EXIT_BRAIN_HEARTBEAT, 'b1');
    const decoded = record === undefined ? undefined : decodeBrainBeat(record.fields);
    return decoded?.ok ? decoded.value : undefined;
  };
}

const book = (positions: Broker['positions']) => ({
  wrapBroker: (broker: Broker): Broker => ({ ...broker, positions, openOrders: () => Promise.resolve([]) }),
});
const onePosition = book(() => Promise.resolve([{ symbol: 'AAPL', positionSide: 'net', quantity: 10 }]));

describe('exit brain role', () => {
  it('S11: each evaluation is a decision about the positions that were read', async () => {
    const beat = await start(onePosition);
    const seen = await eventually(async () => ((await beat())?.decisionSequence ?? 0) > 2 && (await beat()));
    expect(seen).toMatchObject({ status: 'OK', activePositions: 1 });
  });

  it('S11: a decide function that hangs stops the decisions, and not the process’s orderly end', async () => {
    let calls = 0;
    const beat = await start({
      ...onePosition,
      decide: () => {
        calls += 1;
        return calls > 2 ? new Promise(() => {}) : undefined;
      },
    });
    const hung = await eventually(async () => ((await beat())?.decisionSequence === 2 ? beat() : undefined));
    const later = await eventually(async () => {
      const now = await beat();
      return now !== undefined && now.sequence > (hung?.sequence ?? 0) + 5 && now;
    });
    expect([later.decisionSequence, calls]).toEqual([2, 3]);
    stopping.abort();
    await running;
    expect((await beat())?.status).toBe('GOODBYE');
  });

  it('S5: a book that cannot be read is DEGRADED, never "0 positions"', async () => {
    const beat = await start(book(() => Promise.reject(new Error('the venue is away'))));
    const seen = await eventually(async () => (await beat())?.status === 'DEGRADED' && beat());
    expect(seen).toMatchObject({ decisionSequence: 0, reason: 'the book cannot be read: the venue is away' });
  });

  it('S11: a decide function that throws has not decided', async () => {
    const beat = await start({
      ...onePosition,
      decide: () => {
        throw new Error('a bug');
      },
    });
    const seen = await eventually(async () => (await beat())?.status === 'DEGRADED' && beat());
    expect(seen).toMatchObject({ decisionSequence: 0, reason: 'the decide function failed: a bug' });
  });
});
