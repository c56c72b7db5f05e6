/** At the ports faults are told in the port's own words, and the intact parts underneath show what really happened. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Broker, OrderRequest } from '../../../src/broker/broker.js';
import { BrokerUnavailableError } from '../../../src/broker/broker.js';
import { type Bus, BusUnavailableError, FROM_START } from '../../../src/bus/bus.js';
import { createMemoryBus } from '../../../src/bus/memory.js';
import {
  type ChaosBehaviour,
  type ChaosConfig,
  ChaosEngine,
  type ChaosType,
  chaosBroker,
  chaosBus,
  isInjected,
} from '../../../src/chaos/index.js';
import { systemClock } from '../../../src/clock.js';
import { ManualClock } from '../../../src/testing/manualClock.js';
import { createSimulatedVenue } from '../../support/simulatedBroker.js';

const engineOf = (type: ChaosType, behaviour: ChaosBehaviour, more: ChaosConfig = {}) =>
  new ChaosEngine({ armed: true, failureRate: 1, seed: 5, types: [type], behaviours: [behaviour], latencyMs: 2, ...more });

describe('a bus', () => {
  let intact: Bus;
  let open: (engine: ChaosEngine) => Bus;
  beforeEach(() => {
    const memory = createMemoryBus();
    intact = memory.handle();
    open = (engine) => chaosBus(memory.handle(), engine);
  });
  const written = async () => (await intact.read('orders', FROM_START)).records.map(({ fields }) => fields['v']);

  it('refuses or does not know, and never throws from an append', async () => {
    for (const type of ['network', 'disk_io', 'memory', 'process'] as const) {
      const sent = await open(engineOf(type, 'error')).append('orders', { v: type });
      expect(['refused', 'unknown'], type).toContain(sent.outcome);
    }
    expect(await written()).toEqual([]);
  });

  it('a full disk is refused as no space', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const sent = await open(engineOf('disk_io', 'error', { seed })).append('orders', { v: '1' });
      outcomes.add(sent.outcome === 'refused' ? sent.reason : sent.outcome);
    }
    expect(outcomes).toEqual(new Set(['no_space', 'read_only', 'unknown']));
  });

  it('an append whose answer is lost is unknown, and stands', async () => {
    expect(await open(engineOf('network', 'effect-then-timeout')).append('orders', { v: '1' })).toMatchObject({ outcome: 'unknown' });
    expect(await written()).toEqual(['1']);
  });

  it('a compare-and-set whose answer is lost is unknown, and stands', async () => {
    const set = await open(engineOf('timeout', 'effect-then-timeout')).latch('state').compareAndSet(0, { v: '1' });
    expect(set).toMatchObject({ outcome: 'unknown' });
    expect(await intact.latch('state').get()).toMatchObject({ version: 1 });
  });

  it('an append that hangs ends by its own deadline', async () => {
    const clock = new ManualClock();
    const bus = open(engineOf('timeout', 'hang', { clock }));
    const appending = bus.append('orders', { v: '1' }, { timeoutMs: 300 });
    await clock.advance(300);
    expect(await appending).toMatchObject({ outcome: 'unknown' });
    expect(await written()).toEqual([]);
  });

  it('reads fail as without contact, a probe says so', async () => {
    const bus = open(engineOf('network', 'error'));
    const reads = [
      () => bus.read('orders', FROM_START),
      () => bus.end('orders'),
      () => bus.latest('orders', 'a'),
      () => bus.latch('state').get(),
      () => bus.latch('state').watch(0, { blockMs: 0 }),
      () => bus.group('orders', 'workers').next('a', { minIdleMs: 1 }),
      () => bus.group('orders', 'workers').pending(),
    ];
    for (const read of reads) {
      const thrown: unknown = await read().catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(BusUnavailableError);
      expect(isInjected(thrown)).toBe(true);
    }
    expect(await bus.probe()).toMatchObject({ ok: false });
  });

  it('an acknowledgement can fail as well', async () => {
    await intact.append('orders', { v: '1' });
    const engine = engineOf('network', 'error', { targets: ['delivery.ack'] });
    const delivery = await open(engine).group('orders', 'workers').next('a', { minIdleMs: 1 });
    await expect(delivery?.ack()).rejects.toThrow(BusUnavailableError);
  });

  it('never repeats a write and never changes their order: its contract rules that out', () => {
    expect(() => open(engineOf('network', 'duplicate'))).toThrow('behaviours');
    expect(() => open(engineOf('network', 'reorder'))).toThrow('behaviours');
  });
});

describe('a broker', () => {
  const ORDER: OrderRequest = {
    clientOrderId: 'a-1',
    symbol: 'AAPL',
    positionSide: 'net',
    side: 'buy',
    type: 'market',
    quantity: 1,
    reduceOnly: false,
  };
  const at = (behaviour: ChaosBehaviour, type: ChaosType = 'network'): { intact: Broker; hit: Broker } => {
    const venue = createSimulatedVenue(systemClock);
    return { intact: venue.broker('observer'), hit: chaosBroker(venue.broker('strategy'), engineOf(type, behaviour)) };
  };

  it('an order whose answer is lost stands at the venue, and the caller does not know', async () => {
    const { intact, hit } = at('effect-then-timeout');
    await expect(hit.submit(ORDER)).rejects.toThrow(BrokerUnavailableError);
    expect(await intact.orderByClientId('AAPL', 'a-1')).toMatchObject({ found: true });
  });

  it('an order that fails before it is sent is told in the same words, and is not there', async () => {
    const { intact, hit } = at('error');
    await expect(hit.submit(ORDER)).rejects.toThrow(BrokerUnavailableError);
    expect(await intact.orderByClientId('AAPL', 'a-1')).toEqual({ found: false });
  });

  it('positions that cannot be read are no empty list', async () => {
    const { hit } = at('error');
    await expect(hit.positions()).rejects.toThrow(BrokerUnavailableError);
  });

  it('an order sent twice over the wire is one order: the venue knows its id', async () => {
    const { intact, hit } = at('duplicate');
    await hit.submit(ORDER);
    await expect.poll(async () => (await intact.positions()).map(({ quantity }) => quantity)).toEqual([1]);
  });
});
