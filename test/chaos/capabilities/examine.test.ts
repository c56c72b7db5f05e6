/** The doctor says only what a probe has seen. */
import { describe, expect, it } from 'vitest';
import { CAPABILITIES } from '../../../src/chaos/capabilities/capability.js';
import { capabilityTable } from '../../../src/chaos/capabilities/command.js';
import { examineHost } from '../../../src/chaos/capabilities/examine.js';
import { PROBES } from '../../../src/chaos/capabilities/probes.js';
import { busyShare } from '../../../src/chaos/capabilities/procStat.js';
import { ManualClock } from '../../../src/testing/manualClock.js';

describe('the doctor', () => {
  it('has a probe for every capability, once', () => {
    expect(PROBES.map(({ name }) => name)).toEqual([...CAPABILITIES]);
  });

  it('takes a probe that throws for one that failed, and goes on', async () => {
    const clock = new ManualClock();
    const found = await examineHost(clock, [
      { name: 'signals', fault: 'a', root: 'no', look: () => Promise.reject(new Error('the probe broke')) },
      {
        name: 'proc',
        fault: 'b',
        root: 'yes: because',
        look: async () => {
          await clock.advance(30);
          return { status: 'needs_root', detail: 'not root' };
        },
      },
    ]);
    expect(found).toEqual([
      { name: 'signals', fault: 'a', root: 'no', status: 'failed', detail: 'the probe broke', tookMs: 0 },
      { name: 'proc', fault: 'b', root: 'yes: because', status: 'needs_root', detail: 'not root', tookMs: 30 },
    ]);
    const table = capabilityTable(found);
    expect(table).toMatch(/FAILED +signals +a\n +the probe broke/);
    expect(table).toMatch(/needs root +proc +b\n +not root\n +root: yes: because/);
  });

  it.each([
    [{ busy: 10, total: 100 }, { busy: 60, total: 200 }, 0.5],
    [{ busy: 10, total: 100 }, { busy: 10, total: 100 }, 0],
  ])('of the ticks from %j to %j, %f were busy', (from, until, share) => {
    expect(busyShare(from, until)).toBe(share);
  });
});
