/** One connection that is kept alive, and what makes it leave the server that it leads to. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Established } from '../../src/bus/redis/connection.js';
import { Link } from '../../src/bus/redis/link.js';
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
  const keep = (dial: () => Promise<Established>) => {
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
});
