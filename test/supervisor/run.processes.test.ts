/** `failflat run` with real processes: a death is seen at once, and what it calls for is done before anything else. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPaperBroker, createVenueClient } from '../../src/brokers/paper/index.js';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { defaultBarsFile } from '../../src/drill/bars.js';
import { decodePanicClose, PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { followStream } from '../../src/rig/observer.js';
import { type Running, Workspace } from '../cli/cli.js';
import { eventually } from '../support/eventually.js';

/** L1, where the supervisor sees the process die. */
const AT_ONCE_MS = 250;
const BOT = `setInterval(() => {}, 1_000)`;

let place: Workspace;
let bus: Bus;
let busUrl: string;
const seen: { readonly atMs: number; readonly reason: string; readonly issuedBy: string }[] = [];
let stop: AbortController;
let following: Promise<void>;

beforeEach(async () => {
  place = new Workspace();
  busUrl = `journal:${join(mkdtempSync(join(place.directory, 'bus-')), 'journal')}`;
  bus = await openBus(busUrl);
  seen.length = 0;
  stop = new AbortController();
  following = followStream(bus, PANIC_CLOSE, systemClock, stop.signal, (record) => {
    const decoded = decodePanicClose(record.fields);
    if (decoded.ok) seen.push({ atMs: systemClock.monotonicMs(), reason: decoded.value.reason, issuedBy: decoded.value.issuedBy });
  });
});
afterEach(async () => {
  stop.abort();
  await following;
  await bus.close();
  await place.remove();
});

const supervise = (...args: readonly string[]): Running => place.start(['run', '--bus', busUrl, ...args], {});
const bot = ['--', process.execPath, '-e', BOT];

/** The process ids of all lives of a service so far. */
const lives = ({ stderr }: Running, name: string): readonly number[] =>
  [...stderr.matchAll(new RegExp(`^failflat run: ${name} runs as process (\\d+)$`, 'gm'))].map(([, pid]) => Number(pid));

const life = (running: Running, name: string, number: number): Promise<number> =>
  eventually(() => lives(running, name)[number - 1], { timeoutMs: 15_000 });

const panic = () => eventually(() => seen[0], { timeoutMs: 5_000 });

function kill(pid: number): number {
  const atMs = systemClock.monotonicMs();
  process.kill(pid, 'SIGKILL');
  return atMs;
}

describe('L1: a process that dies under its supervisor', () => {
  it.each(['bot', 'exit-brain'])('a %s whose book nobody knows is a panic at once, and comes back', { timeout: 30_000 }, async (kind) => {
    const running = supervise('--kind', kind, ...bot);
    const atMs = kill(await life(running, kind, 1));
    const { reason, issuedBy, atMs: seenMs } = await panic();
    expect(issuedBy).toBe('supervisor');
    expect(reason).toBe(`${kind.toUpperCase().replace('-', '_')}_DIED_BOOK_UNKNOWN`);
    expect(seenMs - atMs).toBeLessThanOrEqual(AT_ONCE_MS);
    await life(running, kind, 2);
    expect((await running.stop()).code).toBe(0);
  });

  it('with positions open it is a panic at once; proven flat it is started again, and nobody panics', { timeout: 60_000 }, async () => {
    const { ready } = await place.role(['venue', '--port', '0', '--bars', defaultBarsFile(), '--account', 'a']);
    const url = ready.url ?? '';
    const running = supervise('--broker', `paper:${url}`, '--account', 'a', '--settle', '300ms', ...bot);
    const first = await life(running, 'bot', 1);
    await bookRead(url);
    kill(first);
    const second = await life(running, 'bot', 2);
    expect(running.stderr).toContain('the book was flat; it is started again');
    expect(seen).toEqual([]);
    await buy(url);
    await bookRead(url);
    const atMs = kill(second);
    const { reason, atMs: seenMs } = await panic();
    expect(reason).toBe('BOT_DIED_BOOK_OPEN');
    expect(seenMs - atMs).toBeLessThanOrEqual(AT_ONCE_MS);
    await running.stop();
  });

  it('an order of the dead that still fills is a panic, although the book was flat when it died', { timeout: 60_000 }, async () => {
    const { ready } = await place.role(['venue', '--port', '0', '--bars', defaultBarsFile(), '--account', 'a']);
    const url = ready.url ?? '';
    const running = supervise('--broker', `paper:${url}`, '--account', 'a', '--settle', '20s', ...bot);
    const pid = await life(running, 'bot', 1);
    await bookRead(url);
    kill(pid);
    await buy(url);
    expect((await panic()).reason).toBe('BOT_DIED_BOOK_OPEN');
    await running.stop();
  });

  it('who dies more often than is allowed is given up, with a panic and exit code 1; the others come back side by side', {
    timeout: 60_000,
  }, async () => {
    const services = ['watchdog', 'exit-worker'].map((kind) => ({ name: kind, kind, command: [process.execPath, '-e', BOT] }));
    writeFileSync(place.path('services.json'), JSON.stringify(services));
    const running = supervise('--services', place.path('services.json'), '--max-restarts', '1');
    const pids = await Promise.all(services.map(({ name }) => life(running, name, 1)));
    for (const pid of pids) kill(pid);
    const [watchdog = 0] = await Promise.all(services.map(({ name }) => life(running, name, 2)));
    expect(seen).toEqual([]);
    kill(watchdog);
    expect((await panic()).reason).toBe('WATCHDOG_RESTART_LIMIT_PASSED');
    await eventually(() =>
      running.stderr.includes('watchdog died (signal SIGKILL), the book was unknown; it is given up') ? true : undefined,
    );
    expect((await running.stop()).code).toBe(1);
    expect(lives(running, 'exit-worker')).toHaveLength(2);
  });

  it('an end that was asked for is no death: the services end in order, and nobody panics', { timeout: 30_000 }, async () => {
    const running = supervise(...bot);
    const pid = await life(running, 'bot', 1);
    expect((await running.stop()).code).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(seen).toEqual([]);
  });
});

it.each([
  [[], 'command = []: must be given behind --, or else --services'],
  [['--broker', 'paper:http://127.0.0.1:1', ...bot], '--account = undefined: must be given with --broker'],
  [['--services', 'missing.json'], 'services = "missing.json": must be a JSON file that can be read'],
])('%j is refused with exit code 2', async (args, said) => {
  const { code, stderr } = await place.run(['run', '--bus', busUrl, ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(said);
});

/** Two readings of the supervisor that came later than now: what it knows then is what is. */
async function bookRead(url: string): Promise<void> {
  const venue = createVenueClient(url);
  try {
    const { events } = await venue.evidence(0);
    await eventually(
      async () =>
        (await venue.evidence(events.length)).events.filter((event) => event.kind === 'read' && event.source === 'supervisor').length >= 4,
      { timeoutMs: 10_000, everyMs: 50 },
    );
  } finally {
    await venue.close();
  }
}

async function buy(url: string): Promise<void> {
  const venue = createVenueClient(url);
  const broker = createPaperBroker({ url, account: 'a', source: 'test' });
  try {
    const order = {
      clientOrderId: 'one',
      symbol: 'AAPL',
      positionSide: 'net',
      side: 'buy',
      type: 'market',
      quantity: 1,
      reduceOnly: false,
    } as const;
    await venue.replay({ action: 'start', index: 10, intervalMs: 10, untilIndex: 12 });
    await eventually(async () => ((await venue.bars(-1)).bars.length > 0 ? true : undefined));
    await broker.submit(order);
    await eventually(async () => ((await broker.positions()).length > 0 ? true : undefined));
  } finally {
    await broker.close();
    await venue.close();
  }
}
