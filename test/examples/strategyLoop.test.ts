/** The example as a process beside a real venue: what its callers were told against the venue's own books. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import { Workspace } from '../cli/cli.js';
import { REPOSITORY } from '../structure/source.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';

let workspace: Workspace;
let url: string;
let venue: VenueClient;
let bot: TestChild;

beforeEach(async () => {
  workspace = new Workspace();
  ({ url = '' } = (await workspace.role(['venue'])).ready);
  venue = createVenueClient(url);
  await venue.setSwitches({ latencyMs: 60 });
});
afterEach(async () => {
  await bot.kill();
  await venue.close();
  await workspace.remove();
});

const start = (haltFile: string): TestChild => {
  bot = new TestChild(process.execPath, [join(REPOSITORY, 'examples/strategy-loop/main.mjs'), url, haltFile]);
  return bot;
};
const said = (word: string): readonly string[] =>
  bot.lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(/[ :]/)[1] ?? '');

/** By what the venue says of them: those that arrived, and those that it filled. */
async function books(): Promise<{ readonly arrived: readonly string[]; readonly filled: readonly string[] }> {
  const { events } = await venue.evidence();
  return {
    arrived: events.flatMap((event) => (event.kind === 'request' && event.what === 'submit' ? [event.clientOrderId ?? ''] : [])),
    filled: events.flatMap((event) => (event.kind === 'fill' ? [event.clientOrderId ?? ''] : [])),
  };
}

describe('examples/strategy-loop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'S1, S2, L5: %s under load: what callers were told is what the venue has, and the parent sees the signal',
    { timeout: 40_000 },
    async (signal) => {
      writeFileSync(workspace.path('halted'), '0');
      const child = start(workspace.path('halted'));
      await eventually(() => said('filled').length >= 30, { timeoutMs: 20_000 });
      child.signal(signal);
      expect(await child.ending()).toBe(signal);
      const { arrived, filled } = await books();
      expect(said('filled').toSorted()).toEqual(filled.toSorted());
      expect(arrived.toSorted()).toEqual(filled.toSorted());
      expect([said('unresolved'), said('refused'), child.errors]).toEqual([[], [], '']);
      expect(child.lines.at(-1)).toBe(`shut down: ${signal}, 0 orders unfinished`);
    },
  );

  it('S1: a halt in the file is refused from then on, and its end lets orders pass again', { timeout: 40_000 }, async () => {
    const haltFile = workspace.path('halted');
    writeFileSync(haltFile, '0');
    start(haltFile);
    await eventually(() => said('filled').length >= 5, { timeoutMs: 20_000 });
    writeFileSync(haltFile, '1');
    await eventually(() => said('refused').length >= 10, { timeoutMs: 20_000 });
    const refused = said('refused');
    writeFileSync(haltFile, '0');
    await eventually(() => Number(said('filled').at(-1)?.split('-')[1]) > Number(refused.at(-1)?.split('-')[1]), { timeoutMs: 20_000 });
    const { arrived } = await books();
    expect(refused.filter((id) => arrived.includes(id))).toEqual([]);
  });

  it('S3: without its file it is halted, says so, and ends in order', { timeout: 40_000 }, async () => {
    const child = start(workspace.path('nowhere'));
    await eventually(() => said('refused').length >= 10, { timeoutMs: 20_000 });
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect((await books()).arrived).toEqual([]);
  });
});
