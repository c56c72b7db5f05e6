/** Which master the connections of one handle follow. */
import { describe, expect, it } from 'vitest';
import { FORGOTTEN_MS, type Follower, type MetMaster, Whereabouts } from '../../src/bus/redis/whereabouts.js';
import { isolatedLogger } from '../../src/logger.js';
import { ManualClock } from '../../src/testing/manualClock.js';

const master = (port: number, epoch: number): MetMaster => ({ address: { host: '127.0.0.1', port }, epoch, runId: `run of ${port}` });

function scene(locate: () => Promise<MetMaster> = () => Promise.reject(new Error('nobody answers'))) {
  const clock = new ManualClock();
  const whereabouts = new Whereabouts(locate, clock, isolatedLogger(undefined));
  const told: MetMaster[] = [];
  const follower: Follower = { follow: (where) => void told.push(where) };
  whereabouts.joined(follower);
  return { clock, whereabouts, told };
}

describe('the connections of one handle', () => {
  it('S7, S8: follow the one that was made under the newest configuration', () => {
    const { whereabouts, told } = scene();
    expect(whereabouts.arrived(master(1, 1))).toBe(true);
    expect(whereabouts.arrived(master(2, 2))).toBe(true);
    expect(told.at(-1)).toEqual(master(2, 2));
  });

  it('trap 45: S7: failover: do not follow, and do not use, what an older configuration names', () => {
    const { whereabouts, told } = scene();
    whereabouts.arrived(master(2, 2));
    expect(whereabouts.arrived(master(1, 1))).toBe(false);
    expect(told.at(-1)).toEqual(master(2, 2));
  });

  it('follow an older count when nothing else has been named for long: it has begun anew', async () => {
    const { clock, whereabouts, told } = scene();
    whereabouts.arrived(master(2, 7));
    expect(whereabouts.arrived(master(1, 0))).toBe(false);
    await clock.advance(FORGOTTEN_MS - 1);
    expect(whereabouts.arrived(master(1, 0))).toBe(false);
    await clock.advance(1);
    expect(whereabouts.arrived(master(1, 0))).toBe(true);
    expect(told.at(-1)).toEqual(master(1, 0));
    expect(whereabouts.arrived(master(3, 1))).toBe(true);
  });

  it('are told by a look that a suspicion asked for; suspicions in quick succession are one, and a failed look is no answer', async () => {
    let looks = 0;
    let answer: Promise<MetMaster> = Promise.reject(new Error('nobody answers'));
    answer.catch(() => undefined);
    const { clock, whereabouts, told } = scene(() => {
      looks += 1;
      return answer;
    });
    whereabouts.arrived(master(1, 1));
    whereabouts.suspect();
    whereabouts.suspect();
    await clock.advance(50);
    whereabouts.suspect();
    expect(looks).toBe(1);
    answer = Promise.resolve(master(2, 2));
    await clock.advance(100);
    whereabouts.suspect();
    await clock.advance(0);
    expect(looks).toBe(2);
    expect(told.at(-1)).toEqual(master(2, 2));
  });
});
