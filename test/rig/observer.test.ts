/** The observer of the rig counts: what it reads twice, it must have seen once. */
import { afterEach, expect, it } from 'vitest';
import { openBus } from '../../src/bus/openBus.js';
import { encodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { BusObserver } from '../../src/rig/observer.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { eventually } from '../support/eventually.js';

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const panic = (eventId: string) =>
  encodePanicClose({
    eventId,
    reason: 'the brain is dead',
    issuedBy: 'watchdog',
    by: 'watchdog:w',
    wallMs: 1,
    epoch: 1,
    resend: 0,
  });

it('S12: a server of another identity is read from further back, and nothing is counted twice', async () => {
  const server = await RedisServer.start({ config: { appendonly: 'yes', appendfsync: 'always' } });
  undo.push(() => server.dispose());
  const bus = await openBus(server.url);
  undo.push(() => bus.close());
  const observer = new BusObserver(bus);
  undo.push(() => observer.close());
  const seen = () => observer.sight().panics.map(({ value }) => value.eventId);

  await bus.append(PANIC_CLOSE, panic('first'));
  await bus.append(PANIC_CLOSE, panic('second'));
  await eventually(() => seen().length === 2);
  await server.restart();
  await eventually(async () => (await bus.append(PANIC_CLOSE, panic('third'))).outcome === 'committed', { timeoutMs: 10_000 });
  await eventually(() => seen().includes('third'), { timeoutMs: 10_000 });
  expect(seen()).toEqual(['first', 'second', 'third']);
});

it('S12: another server may give a known id to another record, which is seen as well', async () => {
  const server = await RedisServer.start();
  undo.push(() => server.dispose());
  const write = (id: string, eventId: string) => server.command('XADD', PANIC_CLOSE, id, ...Object.entries(panic(eventId)).flat());
  await write('5-1', 'of the first server');
  const bus = await openBus(server.url);
  undo.push(() => bus.close());
  const observer = new BusObserver(bus);
  undo.push(() => observer.close());
  const seen = () => observer.sight().panics.map(({ value }) => value.eventId);

  await eventually(() => seen().length === 1);
  await server.restart({ keepData: false });
  await write('5-1', 'of the second server');
  await eventually(() => seen().length === 2, { timeoutMs: 10_000 });
  expect(seen()).toEqual(['of the first server', 'of the second server']);
});
