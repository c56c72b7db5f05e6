/** SIGKILL at random points under load: no intent is lost, and none is sent twice. `KILLS` says how often; `npm run kills` 1,000 times. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPaperBroker, createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import { systemClock } from '../../src/clock.js';
import { seededRandom } from '../../src/random.js';
import { type IntentRecord, parseIntentFile } from '../../src/shutdownGate/intentLog/intentFile.js';
import { reconcile } from '../../src/shutdownGate/intentLog/reconcileAt.js';
import { Workspace } from '../cli/cli.js';
import { FC_SEED } from '../shutdownGate/support.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';

const KILLS = Number(process.env['KILLS'] ?? 24);
const SENDERS = 2;
const SENDER = new URL('../fixtures/intents/sender.mjs', import.meta.url);
const LIBRARY = new URL('../../dist/index.js', import.meta.url).href;
const PAPER = new URL('../../dist/brokers/paper/index.js', import.meta.url).href;
/** Ids that a successor tries once more, beside those that are new. */
const OVERLAP = 6;
/** Then a new day begins, with a log of its own and ids that were never used: one log would grow by every kill, and each sender reads all of it. */
const KILLS_A_DAY = 50;
const UNUSED = 100;

let workspace: Workspace;
let url: string;
let venue: VenueClient;
beforeAll(async () => {
  workspace = new Workspace();
  ({ url = '' } = (await workspace.role(['venue'])).ready);
  venue = createVenueClient(url);
  await venue.setSwitches({ clientOrderIds: 'forever', orderExpiryMs: 300, latencyMs: 5 });
});
afterAll(async () => {
  await venue.close();
  await workspace.remove();
});

const directory = fastTemporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));

/** One sender after the other, each killed while it sends. Gives every id that was begun, and what callers were told. */
async function killAgainAndAgain(prefix: string, kills: number): Promise<ReadonlyMap<string, string>> {
  const random = seededRandom(FC_SEED).fork(prefix);
  const told = new Map<string, string>();
  for (let kill = 0, first = 0; kill < kills; kill += 1) {
    const day = join(directory, String(Math.floor(kill / KILLS_A_DAY)));
    const child = TestChild.node(SENDER, LIBRARY, PAPER, url, day, prefix, String(first), '1000000');
    const wanted = 1 + random.below(60);
    await eventually(() => child.lines.length >= wanted || child.errors !== '', { timeoutMs: 60_000, everyMs: 1 });
    await systemClock.sleep(random.next() * 8);
    await child.kill();
    expect(child.errors).toBe('');
    for (const line of child.lines) {
      const [word = '', id = ''] = line.split(' ');
      if (word !== 'began') told.set(id, told.get(id) === 'acknowledged' ? 'acknowledged' : word);
      else if (!told.has(id)) told.set(id, 'nothing');
    }
    const begun = child.lines.filter((line) => line.startsWith('began ')).length;
    const isLastOfDay = (kill + 1) % KILLS_A_DAY === 0;
    first = isLastOfDay ? first + begun + UNUSED : Math.max(0, first + begun - OVERLAP);
  }
  return told;
}

function recordOf(path: string): Extract<IntentRecord, { kind: 'intent' }> {
  const record = parseIntentFile(readFileSync(path, 'utf8'));
  if (record.kind !== 'intent') throw new Error(`${path} cannot be read`);
  return record;
}

const days = (): readonly string[] => readdirSync(directory).map((name) => join(directory, name));
const intentsOf = (day: string): readonly string[] =>
  readdirSync(day).flatMap((name) => (name.endsWith('.intent') ? [join(day, name)] : []));

it(`S2: ${KILLS} kills at random points lose no intent and send none twice`, { timeout: 30_000 + KILLS * 4_000 }, async () => {
  const perSender = Math.ceil(KILLS / SENDERS);
  const runs = await Promise.all(Array.from({ length: SENDERS }, (_, index) => killAgainAndAgain(`s${index}`, perSender)));
  const told = new Map(runs.flatMap((run) => [...run]));
  const broker = createPaperBroker({ url, account: 'default', source: 'judge' });
  const rounds: number[] = [];
  await eventually(
    async () => {
      const reports = await Promise.all(days().map((day) => reconcile(broker, { directory: day, sendWithinMs: 200 })));
      rounds.push(...reports.map(({ found, neverArrived }) => found.length + neverArrived.length));
      return reports.every(({ unresolved, corrupt }) => unresolved.length + corrupt.length === 0);
    },
    { timeoutMs: 10_000, everyMs: 100 },
  );
  await broker.close();

  const { events } = await venue.evidence();
  const arrived = events.flatMap((event) => (event.kind === 'request' && event.what === 'submit' ? [event.clientOrderId ?? ''] : []));
  const records = new Map(
    days()
      .flatMap(intentsOf)
      .map((path) => recordOf(path))
      .map((record) => [record.intent.clientOrderId, record.outcome?.outcome] as const),
  );
  const twice = arrived.length - new Set(arrived).size;
  const lost = arrived.filter((id) => records.get(id) !== 'acknowledged');
  console.log(
    `${KILLS} kills: ${told.size} ids begun, ${records.size} intents kept, ${arrived.length} sent, ${twice} sent twice, ${lost.length} lost`,
  );
  expect(twice).toBe(0);
  expect(lost).toEqual([]);
  expect([...records].filter(([id, outcome]) => outcome === 'acknowledged' && !arrived.includes(id))).toEqual([]);
  const acknowledged = [...told].filter(([, word]) => word === 'acknowledged').map(([id]) => id);
  expect(acknowledged.filter((id) => records.get(id) !== 'acknowledged')).toEqual([]);
  // What proves nothing: runs in which no kill fell between the intent and its outcome, or no id was tried again.
  expect(rounds.reduce((sum, count) => sum + count, 0) + [...told.values()].filter((word) => word === 'nothing').length).toBeGreaterThan(0);
  expect([...told.values()]).toContain('duplicate_client_order_id');
  expect(acknowledged.length).toBeGreaterThan(KILLS);
});
