/** How often a holder asks: soon while it may not trade, and no more often than its lease needs while it may. */
import { expect, it } from 'vitest';
import { ACTIVE, World } from './fixture.js';

const TTL_MS = 8_000;
const LIVENESS_MS = 4_000;

it('a holder that waits for its peers is granted a quarter of their liveness after they are alive, not a renewal later', async () => {
  const world = new World();
  await world.set(ACTIVE);
  const lease = world.lease({ ttlMs: TTL_MS, peerLivenessMs: LIVENESS_MS });
  await world.clock.advance(2_050);
  expect(world.refusal(lease)).toBe('lease_missing');
  world.startPeers();
  await world.clock.advance(LIVENESS_MS / 4 + 150);
  expect(world.refusal(lease)).toBeUndefined();
  await world.end(lease);
});

it('a holder that may trade asks four times in its ttl', async () => {
  const world = new World();
  await world.set(ACTIVE);
  world.startPeers();
  let probes = 0;
  const { bus } = world.link;
  const counted = {
    ...bus,
    probe: () => {
      probes += 1;
      return bus.probe();
    },
  };
  const lease = world.lease({ bus: counted, ttlMs: TTL_MS, peerLivenessMs: LIVENESS_MS });
  await world.clock.advance(TTL_MS);
  expect(world.refusal(lease)).toBeUndefined();
  probes = 0;
  await world.clock.advance(10 * TTL_MS);
  expect(probes).toBe(40);
  await world.end(lease);
});
