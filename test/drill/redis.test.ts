/** The drill on a real Redis server: the same promises, and whoever is cut off from the bus. */
import { describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/drill/options.js';
import { expectFlat } from './expectFlat.js';
import { runDrill } from './runDrill.js';

/** A partition must end before a suspended lease has become a halt, also on a busy machine. */
const PARTITION_SCALE = '3';

describe('the drill on Redis', () => {
  it('S1 S4 S5 S6 S9: a dead brain ends in a flat book', { timeout: 90_000 }, async () => {
    const run = await runDrill('--redis');
    expectFlat(run);
    expect(run.document.bus).toMatch(/^redis:\/\/127\.0\.0\.1:/);
    expect(run.document.flatVerdict).toBe('flat');
  });

  it.each(PARTITIONS)(
    'L4 S8: with the %s cut off trading stops by itself, nobody panics, and it comes back',
    { timeout: 90_000 },
    async (who) => {
      expectFlat(await runDrill('--redis', '--partition', who, '--scale', PARTITION_SCALE));
    },
  );

  it('refuses to cut what is no connection to one Redis server of this machine', { timeout: 30_000 }, async () => {
    const run = await runDrill('--partition', 'strategy');
    expect(run.code).toBe(2);
    expect(run.stderr.split('\n')[0]).toContain('partition = "strategy": must be used with --redis');
  });
});
