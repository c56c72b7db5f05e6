/** Workers of a cluster share nothing but the bus: a halt that is given once stops each of them, and each drains its own orders. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { halt } from '../../src/tradingState/halt.js';
import { Workspace } from '../cli/cli.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';

const NAMES = ['w0', 'w1', 'w2'];
const ACTIVE = { ...NEVER_ARMED, mode: 'ACTIVE', epoch: 1, changedBy: 'operator' } as const;
const WAIT = { timeoutMs: 20_000 };

let workspace: Workspace;
let url: string;
let venue: VenueClient;
let operator: Bus;
let child: TestChild;

beforeEach(async () => {
  workspace = new Workspace();
  ({ url = '' } = (await workspace.role(['venue'])).ready);
  venue = createVenueClient(url);
  await venue.setSwitches({ latencyMs: 80 });
  operator = await openBus(`journal:${workspace.path('bus')}`);
  await operator.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE));
  child = TestChild.node(new URL('../fixtures/process/clusterBus.mjs', import.meta.url), operator.url, url, String(NAMES.length));
});
afterEach(async () => {
  await child.kill();
  await operator.close();
  await venue.close();
  await workspace.remove();
});

/** The ids of one worker's orders that it has said this word of. */
const said = (word: string, name: string): readonly string[] =>
  child.lines.filter((line) => line.startsWith(`${word} ${name}-`)).map((line) => line.split(' ')[1] ?? '');

/** Each worker says `times` more of the word than before. */
async function eachSays(word: string, times: number): Promise<void> {
  const before = new Map(NAMES.map((name) => [name, said(word, name).length]));
  await eventually(() => NAMES.every((name) => said(word, name).length >= (before.get(name) ?? 0) + times), WAIT);
}

async function ordersAtTheVenue() {
  const { events } = await venue.evidence();
  return {
    arrived: events.flatMap((event) =>
      event.kind === 'request' ? [{ id: event.clientOrderId ?? '', sentMs: event.sentMs ?? Infinity }] : [],
    ),
    filled: events.flatMap((event) => (event.kind === 'fill' ? [event.clientOrderId ?? ''] : [])),
  };
}

it('S1, S2: one halt on the bus reaches every worker, each drains on its own, and the venue has what they were told', {
  timeout: 60_000,
}, async () => {
  await eachSays('filled', 5);

  const outcome = await halt(operator, { kind: 'manual', reason: 'look first', by: 'operator' });
  expect(outcome).toMatchObject({ outcome: 'committed' });
  await eachSays('refused', 1);
  const reachedMs = systemClock.monotonicMs();
  await eachSays('refused', 5);
  const refused = NAMES.flatMap((name) => said('refused', name));
  const { version } = await operator.latch(TRADING_STATE).get();
  const releasedMs = systemClock.monotonicMs();
  await operator.latch(TRADING_STATE).compareAndSet(version, encodeTradingState({ ...ACTIVE, epoch: 2 }));
  await eachSays('filled', 5);

  // One worker alone is told to end: it ends when its own orders have, and the others trade on.
  const [, , pid = ''] = (await child.line(/^started w1 /)).split(' ');
  process.kill(Number(pid), 'SIGTERM');
  await child.line('ended w1 SIGTERM');
  const others = NAMES.filter((name) => name !== 'w1');
  const before = others.map((name) => said('filled', name).length);
  await eventually(() => others.every((name, index) => said('filled', name).length > (before[index] ?? 0)), WAIT);
  expect(child.lines.filter((line) => line.startsWith('ended '))).toEqual(['ended w1 SIGTERM']);

  child.signal('SIGTERM');
  expect(await child.ending()).toBe('SIGTERM');
  const { arrived, filled } = await ordersAtTheVenue();
  expect(NAMES.flatMap((name) => said('filled', name)).toSorted()).toEqual(filled.toSorted());
  expect(arrived.map(({ id }) => id).toSorted()).toEqual(filled.toSorted());
  expect(arrived.filter(({ id }) => refused.includes(id))).toEqual([]);
  expect(arrived.filter(({ sentMs }) => sentMs > reachedMs && sentMs < releasedMs)).toEqual([]);
  expect(child.lines.filter((line) => line.startsWith('drained ')).toSorted()).toEqual(NAMES.map((name) => `drained ${name} 0`));
  expect(child.lines.filter((line) => line.startsWith('ended ')).toSorted()).toEqual(NAMES.map((name) => `ended ${name} SIGTERM`));
  expect(child.lines.filter((line) => line.startsWith('unresolved '))).toEqual([]);
  expect(child.lines.filter((line) => line.startsWith('refused ') && !line.endsWith(' kill_switch_enabled'))).toEqual([]);
  expect(child.errors).toBe('');
});
