/** What a Redis client does by default: beats of an outage wait in a queue and land as fresh ones, and a frozen server hangs its readers. */
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bus, BusUnavailableError, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { createExitBrain } from '../../src/exitBrain/exitBrain.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { eventually } from '../support/eventually.js';

const INTERVAL_MS = 50;
/** So many beats one after the other take longer than any of them may be on its way. */
const MANY = 20;

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A brain that beats on a server which keeps what it has taken, and the sequence of each beat that was handed to its bus. */
async function beatingBrain() {
  const server = await RedisServer.start({ config: { appendonly: 'yes', appendfsync: 'always' } });
  undo.push(() => server.dispose());
  const open = async () => {
    const bus = await openBus(server.url);
    undo.push(() => bus.close());
    return bus;
  };
  const handedIn: string[] = [];
  const bus = await open();
  const counted: Bus = new Proxy(bus, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'append')
        return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value;
      return (...args: Parameters<Bus['append']>) => {
        handedIn.push(args[1]['sequence'] ?? '');
        return target.append(...args);
      };
    },
  });
  const brain = createExitBrain({ bus: counted, serviceId: 'brain', intervalMs: INTERVAL_MS });
  undo.push(() => brain.close());
  brain.decided({ activePositions: 1 });
  const reader = await open();
  const standing = async () => {
    const { records } = await reader.read(EXIT_BRAIN_HEARTBEAT, FROM_START, { limit: 10_000 });
    return records.map(({ fields }) => fields['sequence'] ?? '');
  };
  await eventually(async () => (await standing()).length > 0);
  return { server, bus, reader, handedIn, standing };
}

/** Waits for so many more beats, and gives those that were handed in until now. */
async function untilMore(handedIn: readonly string[]): Promise<readonly string[]> {
  const until = [...handedIn];
  await eventually(() => handedIn.length >= until.length + MANY, { timeoutMs: 10_000 });
  return until;
}

/** What was queued would land with the first beats of the time after; some more of them stand when it must have. */
async function untilBeating(standing: () => Promise<readonly string[]>, handedIn: readonly string[], from: number): Promise<void> {
  const isNew = (sequence: string) => handedIn.indexOf(sequence) >= from;
  await eventually(async () => (await standing()).filter(isNew).length >= MANY, { timeoutMs: 10_000 });
}

describe('trap 32: the defaults of Redis clients', () => {
  it('trap 32: S11: no beat of an outage is replayed when the server is back', async () => {
    const { server, handedIn, standing } = await beatingBrain();
    await server.kill();
    const before = handedIn.length;
    await untilMore(handedIn);
    const lost = handedIn.slice(before);
    await server.restart();
    const newest = handedIn.length;
    await untilBeating(standing, handedIn, newest);
    expect(lost.length).toBeGreaterThanOrEqual(MANY);
    expect((await standing()).filter((sequence) => lost.includes(sequence))).toEqual([]);
  });

  it('trap 32: beside it, ioredis as it comes replays every beat of the outage, and still waits for a frozen server when ours has given up', async () => {
    const server = await RedisServer.start({ config: { appendonly: 'yes', appendfsync: 'always' } });
    undo.push(() => server.dispose());
    const client = new Redis(server.url);
    undo.push(async () => client.disconnect());
    // What a program without a listener would print.
    client.on('error', () => undefined);
    const beat = (sequence: number) => client.xadd('beats', '*', 'sequence', `${sequence}`);
    await beat(0);
    await server.kill();
    await eventually(() => client.status !== 'ready');
    const outage = Array.from({ length: MANY }, (_, index) => beat(index + 1));
    await server.restart();
    await Promise.all(outage);
    expect(await client.xlen('beats')).toBe(MANY + 1);
    await server.freeze();
    let answered = false;
    const asked = client.xlen('beats').then(() => (answered = true));
    // Our own client has long given up on the same server by then.
    const ours = await openBus(server.url).then(
      (bus) => bus.close(),
      (error: unknown) => error,
    );
    expect([answered, ours]).toEqual([false, expect.any(BusUnavailableError)]);
    await server.thaw();
    await asked;
  });

  it('trap 32: S8, S11: a frozen server ends every read in time, and takes no stale beat when it goes on', async () => {
    const { server, reader, handedIn, standing } = await beatingBrain();
    await server.freeze();
    const frozenAt = handedIn.length;
    await untilMore(handedIn);
    const settled = await Promise.allSettled([
      reader.read(EXIT_BRAIN_HEARTBEAT, FROM_START, { blockMs: 100 }),
      reader.latest(EXIT_BRAIN_HEARTBEAT, 'brain'),
      reader.latch('state').watch(0, { blockMs: 100 }),
    ]);
    for (const one of settled) expect(one.status === 'rejected' && one.reason).toBeInstanceOf(BusUnavailableError);
    expect(await reader.probe()).toMatchObject({ ok: false });
    const until = await untilMore(handedIn);
    await server.thaw();
    const newest = handedIn.length;
    await untilBeating(standing, handedIn, newest);
    const stale = until.slice(frozenAt);
    expect(stale.length).toBeGreaterThanOrEqual(MANY);
    expect((await standing()).filter((sequence) => stale.includes(sequence))).toEqual([]);
  });
});
