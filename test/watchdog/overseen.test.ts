/** What nobody understands is put on record, on whichever stream it stands. */
import { describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import { AUDIT } from '../../src/messages/audit.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { PANIC_COMPLETED, PANIC_ESCALATED } from '../../src/messages/completion.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { LEASE_HOLDER } from '../../src/messages/holder.js';
import { MAINTENANCE } from '../../src/messages/maintenance.js';
import { EXIT_WORKER_HEARTBEAT, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { type BusFaults, faultyBus, scene } from './scene.js';

describe('a record of an unknown version', () => {
  it.each([
    EXIT_BRAIN_HEARTBEAT,
    EXIT_WORKER_HEARTBEAT,
    WATCHDOG_HEARTBEAT,
    LEASE_HOLDER,
    CLOSE_ATTEMPTS,
    MAINTENANCE,
    PANIC_COMPLETED,
    PANIC_ESCALATED,
  ])('S12: on %s it is audited once', async (stream) => {
    const stage = scene(stream);
    stage.watchdog();
    await stage.clock.advance(1_000);
    await stage.newHandle().append(stream, { schema: '999', said: 'something new' });
    await stage.clock.advance(1_000);
    const { entries } = await readAudit(stage.bus);
    const told = entries.filter(({ details }) => String(details['where']).startsWith(stream));
    expect(told.map(({ event }) => event)).toEqual(['watchdog.record_not_understood']);
    await stage.end();
  });
});

it('S12: what was recorded last is there when a watchdog is closed, however slow the bus is', async () => {
  const stage = scene();
  const slowly: BusFaults = {
    append: async (stream, pass) => {
      if (stream === AUDIT) await stage.clock.sleep(300);
      return pass();
    },
  };
  const watchdog = stage.watchdog({ bus: faultyBus(stage.newHandle(), slowly) });
  await stage.clock.advance(1_000);
  await stage.newHandle().append(MAINTENANCE, { schema: '999' });
  await stage.clock.advance(50);
  const recorded = watchdog.close().then(() => readAudit(stage.bus));
  await stage.clock.advance(3_000);
  expect((await recorded).entries.map(({ event }) => event)).toContain('watchdog.record_not_understood');
  await stage.end();
});
