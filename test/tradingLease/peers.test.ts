import { describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { EXIT_WORKER_HEARTBEAT, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { leaseConfig } from '../../src/tradingLease/options.js';
import { Peers } from '../../src/tradingLease/peers.js';
import { Peer } from './fixture.js';

function stage(options: object = {}) {
  const clock = new ManualClock();
  const real = createMemoryBus({ clock }).handle();
  const waits: (number | undefined)[] = [];
  const state: { isDown: boolean; onItsWay: Promise<void> | undefined } = { isDown: false, onItsWay: undefined };
  const bus: Bus = {
    ...real,
    end: (stream) => real.end(stream),
    read: async (stream, cursor, read) => {
      waits.push(read?.blockMs);
      if (state.isDown) throw new Error('down');
      const result = await real.read(stream, cursor, read);
      await state.onItsWay;
      return result;
    },
  };
  const peers = new Peers(leaseConfig({ bus, clock, ...options }));
  const [watchdog, worker] = [new Peer('w', 1), new Peer('x', 2)];
  const beat = async () => {
    await watchdog.send(real, WATCHDOG_HEARTBEAT);
    await worker.send(real, EXIT_WORKER_HEARTBEAT);
    await clock.advance(1);
  };
  const names = () => [peers.watchdogs.map(({ name }) => name), peers.workers.map(({ name }) => name)];
  return { clock, peers, beat, names, waits, state };
}

describe('the peers of a lease', () => {
  it('are seen each on its own stream, from the end of it on', async () => {
    const { clock, peers, beat, names } = stage();
    await beat();
    peers.start();
    await clock.advance(1);
    expect(names()).toEqual([[], []]);
    await beat();
    expect(names()).toEqual([['w'], ['x']]);
    expect(peers.watchdogs[0]?.lastAdvanceMs).toBeUndefined();
    await beat();
    expect(peers.watchdogs[0]?.lastAdvanceMs).toBeDefined();
    const stopped = peers.stop();
    await clock.advance(1);
    await stopped;
    expect(clock.pending).toBe(0);
  });

  it('S3: prove nothing any more once they were forgotten, until they have advanced anew', async () => {
    const { clock, peers, beat, names } = stage();
    peers.start();
    await clock.advance(1);
    await beat();
    await beat();
    peers.forget();
    expect(names()).toEqual([[], []]);
    await beat();
    expect(names()).toEqual([['w'], ['x']]);
    expect([...peers.watchdogs, ...peers.workers].map(({ lastAdvanceMs }) => lastAdvanceMs)).toEqual([undefined, undefined]);
    peers.restart();
    expect(names()).toEqual([[], []]);
    await beat();
    await beat();
    expect([...peers.watchdogs, ...peers.workers].map(({ advances }) => advances)).toEqual([1, 1]);
    await peers.stop();
    await clock.advance(100);
    await beat();
    expect([...peers.watchdogs, ...peers.workers].map(({ advances }) => advances)).toEqual([1, 1]);
  });

  it('S3: are not seen in what an old server answers after the start on a new one', async () => {
    const { clock, peers, beat, names, state } = stage();
    peers.start();
    await clock.advance(1);
    let arrive = (): void => undefined;
    state.onItsWay = new Promise((resolve) => {
      arrive = resolve;
    });
    await beat();
    state.onItsWay = undefined;
    peers.restart();
    await clock.advance(1);
    arrive();
    await clock.advance(1);
    expect(names()).toEqual([[], []]);
    await beat();
    expect(names()).toEqual([['w'], ['x']]);
    await peers.stop();
  });

  it('S3: are read in waits of an eighth of their liveness, also while the bus is down', async () => {
    const { clock, peers, waits, state } = stage({ peerLivenessMs: 400 });
    peers.start();
    await clock.advance(1_000);
    expect(new Set(waits)).toEqual(new Set([50]));
    expect(waits.length / 2).toBeCloseTo(20, -1);
    state.isDown = true;
    await clock.advance(50);
    waits.length = 0;
    await clock.advance(1_000);
    expect(waits).toHaveLength(40);
    await peers.stop();
    const brief = stage({ peerLivenessMs: 2 });
    brief.peers.start();
    await brief.clock.advance(5);
    expect(new Set(brief.waits)).toEqual(new Set([1]));
    await brief.peers.stop();
  });
});
