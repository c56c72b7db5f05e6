/** What nobody understands is put on record, on whichever stream it stands. */
import { describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { PANIC_COMPLETED, PANIC_ESCALATED } from '../../src/messages/completion.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { LEASE_HOLDER } from '../../src/messages/holder.js';
import { MAINTENANCE } from '../../src/messages/maintenance.js';
import { EXIT_WORKER_HEARTBEAT, WATCHDOG_HEARTBEAT } from '../../src/messages/peerBeat.js';
import { scene } from './scene.js';

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
