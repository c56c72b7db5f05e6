/** One connection that is kept alive, and what makes it leave the server that it leads to. */
import { afterEach, describe, expect, it } from 'vitest';
import { dial, type Established } from '../../src/bus/redis/connection.js';
import { Link, type LinkOptions } from '../../src/bus/redis/link.js';
import type { Connect } from '../../src/bus/redis/seam.js';
import { parseRedisUrl } from '../../src/bus/redis/target.js';
import { type MetMaster, Whereabouts } from '../../src/bus/redis/whereabouts.js';
import { isolatedLogger } from '../../src/logger.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';

const met = (host: string, epoch: number, runId: string): MetMaster => ({ address: { host, port: 6_379 }, epoch, runId });

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function scene() {
  const clock = new ManualClock();
  const logger = isolatedLogger(undefined);
  const whereabouts = new Whereabouts(() => Promise.reject(new Error('nobody answers')), clock, logger);
  const dropped: string[] = [];
  const establish = (master: MetMaster): Established => {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const drop = () => {
      dropped.push(master.runId);
      end();
    };
    const time = { sentMs: 0, serverMs: 0, receivedMs: 0 };
    return {
      connection: { ended, drop, send: () => new Promise(() => {}) },
      facts: { master, version: '7.0.15', replicationId: 'data', time },
    };
  };
  const keep = (dial: LinkOptions['dial']) => {
    const options = { name: 'link', dial, clock, random: seededRandom(1), logger, silentCallsMax: 2, whereabouts };
    const link = new Link(options);
    undo.push(() => link.close());
    return link;
  };
  return { clock, whereabouts, dropped, establish, keep };
}

describe('a connection of a handle', () => {
  it.each([
    ['another process under a newer configuration', met('b', 2, 'other'), true],
    ['another process under the same one', met('b', 1, 'other'), true],
    ['another process at the same address', met('a', 1, 'other'), true],
    ['another process when the count has begun anew', met('b', 0, 'other'), true],
    ['its own server by another name', met('localhost', 1, 'own'), false],
    ['its own server under a newer configuration', met('a', 2, 'own'), false],
  ])('S7: S8: told of %s, leaves its server or stays', async (_what, master, leaves) => {
    const { clock, dropped, establish, keep } = scene();
    const link = keep(async () => establish(met('a', 1, 'own')));
    await clock.advance(0);
    expect(link.facts?.master.runId).toBe('own');
    link.follow(master);
    expect([dropped, link.facts === undefined]).toEqual([leaves ? ['own'] : [], leaves]);
  });

  /** Its first dial is led to `towards`, which stands still. */
  function hanging(towards: MetMaster) {
    const all = scene();
    const brokenOff: boolean[] = [];
    const link = all.keep((_name, { located, signal }) => {
      if (brokenOff.length > 0) return Promise.resolve(all.establish(met('new', 2, 'new')));
      located(towards);
      brokenOff.push(false);
      signal.addEventListener('abort', () => (brokenOff[0] = true));
      return new Promise(() => {});
    });
    return { ...all, link, brokenOff };
  }

  it('L4: S7: failover: that is being made to a master that was replaced is broken off, and made to the new one at once', async () => {
    const { clock, whereabouts, link, brokenOff } = hanging(met('old', 1, 'old'));
    await clock.advance(0);
    expect([link.facts, brokenOff]).toEqual([undefined, [false]]);
    expect(whereabouts.arrived(met('new', 2, 'new'))).toBe(true);
    await clock.advance(0);
    expect([link.facts?.master.runId, brokenOff]).toEqual(['new', [true]]);
  });

  it.each([
    ['the master that was met', met('new', 2, 'new')],
    ['the same address under an older configuration', met('new', 1, 'new')],
    ['another address under the same configuration, which may be the same server', met('localhost', 2, 'new')],
  ])('that is being made to %s is waited for', async (_what, towards) => {
    const { clock, whereabouts, brokenOff } = hanging(towards);
    await clock.advance(0);
    whereabouts.arrived(met('new', 2, 'new'));
    await clock.advance(0);
    expect(brokenOff).toEqual([false]);
  });

  it('S7: is not made at all where it would lead to a master that is known to be replaced', async () => {
    const { clock, whereabouts, establish, keep } = scene();
    whereabouts.arrived(met('new', 2, 'new'));
    let made = 0;
    const link = keep(async (_name, { located }) => {
      const master = made === 0 ? met('old', 1, 'old') : met('new', 2, 'new');
      made += 1;
      located(master);
      return establish(master);
    });
    await clock.advance(0);
    expect([link.facts, link.problem]).toEqual([undefined, 'a newer master is known than the one that was named']);
    await clock.advance(1_000);
    expect(link.facts?.master.runId).toBe('new');
  });
});

describe('a dial that is broken off', () => {
  const target = parseRedisUrl('redis://127.0.0.1:1');
  const dialWith = (connect: Connect, signal: AbortSignal) =>
    dial({ target, connect, clock: new ManualClock(), name: 'test', connectTimeoutMs: 500, signal });

  it('S13: gives up the connection that it waits for', async () => {
    const breakOff = new AbortController();
    let givenUp = false;
    const connect: Connect = (_address, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          givenUp = true;
          reject(new Error('given up'));
        });
      });
    const dialled = expect(dialWith(connect, breakOff.signal)).rejects.toThrow('given up');
    await new ManualClock().advance(0);
    breakOff.abort();
    await dialled;
    expect(givenUp).toBe(true);
  });

  it('S13: hangs up on a server that it is asking', async () => {
    const breakOff = new AbortController();
    let hungUp: (error: Error) => void = () => {};
    const silence = new Promise<never>((_resolve, reject) => {
      hungUp = reject;
    });
    const connect: Connect = async () => ({
      ended: new Promise(() => {}),
      drop: () => hungUp(new Error('hung up')),
      send: () => silence,
    });
    const dialled = expect(dialWith(connect, breakOff.signal)).rejects.toThrow('hung up');
    await new ManualClock().advance(0);
    breakOff.abort();
    await dialled;
  });
});
