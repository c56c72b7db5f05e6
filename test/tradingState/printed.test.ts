/** What an operator reads of records that anybody may have written: text, and nothing that a terminal would obey. */
import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { printable } from '../../src/printable.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { formatStatus } from '../../src/tradingState/formatStatus.js';
import { halt } from '../../src/tradingState/halt.js';
import { describeRearm, type RearmPlan } from '../../src/tradingState/rearmPlan.js';
import { readStatus } from '../../src/tradingState/status.js';

const FORGED = 'x\u001b[2J\r\nTrading: ACTIVE\u2028Incidents: none open\u202e';
const SHOWN = 'x\\u{1b}[2J\\u{d}\\u{a}Trading: ACTIVE\\u{2028}Incidents: none open\\u{202e}';

describe('text that came from elsewhere', () => {
  it('is one line without controls, and everything else as it was written', () => {
    expect(printable(FORGED)).toBe(SHOWN);
    expect(printable('\u0000\u0007\u007f\u009b')).toBe('\\u{0}\\u{7}\\u{7f}\\u{9b}');
    expect(printable('“größer” – 数量 ✓ 🚦')).toBe('“größer” – 数量 ✓ 🚦');
  });

  it('S3: a record forges no line of a status and commands no terminal', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock }).handle();
    await halt(bus, { kind: 'manual', id: 'h1', by: 'op', reason: FORGED }, { clock });
    const reading = readStatus(bus, { clock });
    await clock.advance(3_000);
    const lines = formatStatus(await reading).split('\n');
    expect(lines).toContain(`  halt h1 (manual) by op: ${SHOWN}`);
    expect(lines.filter((line) => line.startsWith('Trading: '))).toHaveLength(1);
  });

  it('S3: nor a line of the plan of a re-arm', () => {
    const lists = { clearedHalts: [FORGED], supersededIncidents: [], expectedHolders: [], ignoredHolders: [], positions: [] };
    const plan: RearmPlan = {
      version: 1,
      fromAccounts: [],
      fromEpoch: 1,
      toEpoch: 2,
      by: 'op',
      reason: 'r',
      accounts: [],
      services: [],
      ...lists,
      refusals: [FORGED],
    };
    const lines = describeRearm(plan, 5_000).split('\n');
    expect(lines).toContain(`  clear these halts: ${SHOWN}`);
    expect(lines.at(-1)).toBe(`  ${SHOWN}`);
  });
});
