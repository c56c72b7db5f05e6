/** The bus that fails on command fails as it says, and only there. */
import { once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusDoubtError, BusUnavailableError, FROM_START } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { type FaultyBus, faultyBus } from '../../src/testing/faultyBus.js';

const STREAM = 'stream';

describe('a bus that fails on command', () => {
  let intact: Bus;
  let bus: FaultyBus;
  beforeEach(() => {
    const memory = createMemoryBus();
    intact = memory.handle();
    bus = faultyBus(memory.handle());
  });

  const written = async () => (await intact.read(STREAM, FROM_START)).records.map(({ fields }) => fields['v']);
  const isSettled = async (promise: Promise<unknown>) => {
    const nothing = Symbol('nothing');
    const first = await Promise.race([promise.catch(() => undefined), new Promise((resolve) => setImmediate(resolve, nothing))]);
    return first !== nothing;
  };

  it.each([
    ['none', 'committed', ['1']],
    ['unknown_done', 'unknown', ['1']],
    ['unknown_lost', 'unknown', []],
    [{ refused: 'no_space' }, 'refused', []],
  ] as const)('append %j: answers %s', async (fault, outcome, remains) => {
    bus.faults.append = fault;
    expect(await bus.append(STREAM, { v: '1' })).toMatchObject({ outcome });
    expect(await written()).toEqual(remains);
  });

  it.each([
    ['none', 'committed', 1],
    ['unknown_done', 'unknown', 1],
    ['unknown_lost', 'unknown', 0],
    [{ refused: 'read_only' }, 'refused', 0],
  ] as const)('latch write %j: answers %s', async (fault, outcome, version) => {
    bus.faults.latchWrite = fault;
    expect(await bus.latch('state').compareAndSet(0, { v: '1' })).toMatchObject({ outcome });
    expect(await intact.latch('state').get()).toMatchObject({ version });
  });

  it('fails appends to the named streams alone', async () => {
    bus.faults.append = 'unknown_lost';
    bus.faults.appendStreams = ['other'];
    expect(await bus.append(STREAM, { v: '1' })).toMatchObject({ outcome: 'committed' });
    expect(await bus.append('other', { v: '1' })).toMatchObject({ outcome: 'unknown' });
  });

  it('holds a write until it is let go, and then does it', async () => {
    const hold = new AbortController();
    bus.faults.append = { heldUntil: once(hold.signal, 'abort') };
    const appending = bus.append(STREAM, { v: '1' });
    expect(await isSettled(appending)).toBe(false);
    expect(await written()).toEqual([]);
    hold.abort();
    expect(await appending).toMatchObject({ outcome: 'committed' });
    expect(await written()).toEqual(['1']);
  });

  it('hangs every call in an outage; at its end they fail, and none has had an effect', async () => {
    await intact.append(STREAM, { v: 'before' });
    const delivery = await bus.group(STREAM, 'workers').next('a', { minIdleMs: 60_000 });
    if (delivery === undefined) throw new Error('nothing was delivered');
    bus.faults.contact = 'hangs';
    const writes: readonly Promise<object>[] = [bus.append(STREAM, { v: '1' }), bus.latch('state').compareAndSet(0, { v: '1' })];
    const reads: readonly Promise<unknown>[] = [
      bus.read(STREAM, FROM_START),
      bus.end(STREAM),
      bus.latest(STREAM, 'a'),
      bus.latch('state').get(),
      bus.latch('state').watch(0, { blockMs: 0 }),
      bus.group(STREAM, 'workers').pending(),
      delivery.ack(),
    ];
    const failures = Promise.allSettled(reads);
    const probing = bus.probe();
    for (const call of [...writes, ...reads, probing]) expect(await isSettled(call)).toBe(false);
    bus.heal();
    for (const write of writes) expect(await write).toMatchObject({ outcome: 'unknown' });
    for (const end of await failures) expect(end.status === 'rejected' && end.reason instanceof BusUnavailableError).toBe(true);
    expect(await probing).toMatchObject({ ok: false });
    expect(await written()).toEqual(['before']);
    expect(await intact.latch('state').get()).toMatchObject({ version: 0 });
    expect(await bus.append(STREAM, { v: '2' })).toMatchObject({ outcome: 'committed' });
    expect(await bus.probe()).toMatchObject({ ok: true });
  });

  it('loses a read that was under way when the contact was lost', async () => {
    const reading = bus.read(STREAM, FROM_START, { blockMs: 1_000 });
    bus.faults.contact = 'fails';
    await intact.append(STREAM, { v: '1' });
    await expect(reading).rejects.toBeInstanceOf(BusUnavailableError);
  });

  it('shows a latch in doubt or unreadable, writable all the same', async () => {
    const latch = bus.latch('state');
    bus.faults.latchRead = 'doubt';
    await expect(latch.get()).rejects.toBeInstanceOf(BusDoubtError);
    bus.faults.latchRead = 'fails';
    await expect(latch.watch(0, { blockMs: 0 })).rejects.toBeInstanceOf(BusUnavailableError);
    expect(await latch.compareAndSet(0, { v: '1' })).toMatchObject({ outcome: 'committed' });
    bus.heal();
    expect(await latch.get()).toMatchObject({ version: 1 });
  });

  it('names another identity, as after a failover', async () => {
    const before = await bus.probe();
    bus.faults.identity = 'another';
    expect(before).not.toMatchObject({ identity: 'another' });
    expect(await bus.probe()).toMatchObject({ ok: true, identity: 'another' });
  });
});
