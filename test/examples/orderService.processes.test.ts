/** The order service under load, halted and ended by real signals: what its callers were told against the venue's own books. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { Caller, type Said } from '../http/support.js';
import { REPOSITORY } from '../structure/source.js';
import { eventually } from '../support/eventually.js';
import { type OrderServiceScene, startOrderService } from './orderService.js';

const CALLERS = 6;
const LATENCY_MS = 240;
/** What the service gives load balancers to notice, and requests in flight to end before they are cut. */
const NOTICE_MS = 1_000;
const CUT_AFTER_MS = 5_000;

let scene: OrderServiceScene;
let stopCallers: () => Promise<void> = () => Promise.resolve();
afterEach(async () => {
  await stopCallers();
  await scene[Symbol.asyncDispose]();
});

const JSON_HEADERS = { 'content-type': 'application/json' };

function orderBody(clientOrderId: string, quantity = 1): string {
  return JSON.stringify({ clientOrderId, symbol: 'AAPL', side: 'buy', quantity });
}

interface Told {
  readonly id: string;
  readonly quantity: number;
  /** Undefined: the connection ended without a word. */
  readonly said: Said | undefined;
  readonly atMs: number;
}

async function answered(caller: Caller): Promise<Said | undefined> {
  await eventually(() => caller.received !== '' || caller.closed, { timeoutMs: 20_000 });
  // The last answer and the end of its connection may come together.
  return caller.received === '' ? undefined : caller.answer();
}

/** Callers that send one order after the other, and write down what each was told, until the service takes no connection any more. */
function keepCalling(port: number): readonly Told[] {
  const told: Told[] = [];
  const stopping = new AbortController();
  const call = async (index: number): Promise<void> => {
    // One after the other, so that some order is always under way.
    await systemClock.sleep((index * LATENCY_MS) / CALLERS);
    let caller: Caller | undefined;
    for (let number = 1; !stopping.signal.aborted; number += 1) {
      if (caller === undefined || caller.closed) {
        caller = await Caller.to(port).catch(() => undefined);
        if (caller === undefined) return;
      }
      const order = { id: `c${index}-${number}`, quantity: 1 + (number % 3) };
      caller.ask('POST', '/orders', { body: orderBody(order.id, order.quantity), headers: JSON_HEADERS });
      const said = await answered(caller);
      told.push({ ...order, said, atMs: systemClock.monotonicMs() });
      if (said?.headers['connection'] === 'close') await caller.gone();
    }
    caller?.end();
  };
  const calls = Promise.all(Array.from({ length: CALLERS }, (_, index) => call(index)));
  stopCallers = async () => {
    stopping.abort();
    await calls;
  };
  return told;
}

/** Waits for as long as more is observed: a busy machine gets there late, and a service that stands still is found all the same. */
async function reaches(least: number, count: () => number): Promise<void> {
  let seen = count();
  while (seen < least) seen = await eventually(() => (count() > seen ? count() : undefined), { timeoutMs: 20_000 });
}

const byStatus = (told: readonly Told[], status: number | undefined): readonly Told[] => told.filter(({ said }) => said?.status === status);
/** What the service answers with. */
const bodyOf = (said: Said | undefined): unknown => JSON.parse(said?.body ?? '');
const orders = (some: readonly { readonly id: string; readonly quantity: number }[]): readonly string[] =>
  some.map(({ id, quantity }) => `${id} × ${quantity}`).toSorted();

async function ask(port: number, method: string, path: string, body?: string): Promise<Said> {
  const caller = await Caller.to(port);
  caller.ask(method, path, body === undefined ? {} : { body, headers: JSON_HEADERS });
  const said = await caller.answer();
  caller.end();
  return said;
}

describe('examples/order-service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'S1, S2, L5, trap 16: %s under load: acknowledged orders are those of the venue, none begins after the stop, and the parent sees the signal',
    { timeout: 180_000 },
    async (signal) => {
      scene = await startOrderService('0', LATENCY_MS);
      const { child, port } = scene;
      const idle = await Promise.all(Array.from({ length: 4 }, () => Caller.to(port)));
      for (const caller of idle) caller.ask('GET', '/positions');
      for (const caller of idle) expect((await caller.answer()).status).toBe(200);
      // Its request was let in, its order has yet to come.
      const slow = await Caller.to(port);
      const slowBody = orderBody('slow');
      slow.ask('POST', '/orders', { headers: { ...JSON_HEADERS, expect: '100-continue', 'content-length': String(slowBody.length) } });
      expect((await slow.answer()).status).toBe(100);
      const told = keepCalling(port);
      await reaches(5 * CALLERS, () => told.length);

      const signalledMs = systemClock.monotonicMs();
      child.signal(signal);
      await eventually(async () => (await ask(port, 'GET', '/readyz')).status === 503, { timeoutMs: 20_000 });
      const stoppedMs = systemClock.monotonicMs();
      expect((await ask(port, 'GET', '/livez')).status).toBe(200);
      slow.write(slowBody);
      const slowSaid = await slow.answer();
      expect([slowSaid.status, bodyOf(slowSaid)]).toEqual([503, { error: 'shutting_down', reason: signal }]);

      expect(await child.ending()).toBe(signal);
      expect(systemClock.monotonicMs() - signalledMs).toBeLessThan(NOTICE_MS + CUT_AFTER_MS);
      await stopCallers();
      const { arrived, filled, resting } = await scene.books();
      const acknowledged = byStatus(told, 200);
      expect(orders(acknowledged)).toEqual(orders(filled));
      expect(orders(acknowledged)).toEqual(orders(arrived));
      expect(resting).toBe(0);
      expect(arrived.filter(({ sentMs }) => !(sentMs <= stoppedMs))).toEqual([]);
      // A signal in a pause, or a stop that nobody met, would have proven nothing.
      expect(acknowledged.filter(({ atMs }) => atMs > stoppedMs).length).toBeGreaterThan(0);
      expect(byStatus(told, 503).length).toBeGreaterThan(0);
      expect(told.filter(({ said }) => said !== undefined && ![200, 409, 503].includes(said.status))).toEqual([]);
      expect(byStatus(told, 503).every(({ said }) => said?.body === JSON.stringify({ error: 'shutting_down', reason: signal }))).toBe(true);
      expect([child.lines.at(-1), child.errors]).toEqual([`shut down: ${signal}, 0 orders unfinished`, '']);
    },
  );

  it('S1, S10: a halt under load is told 409, and the venue gets no order from then on until its end', { timeout: 180_000 }, async () => {
    scene = await startOrderService('0', 5);
    const { port, workspace } = scene;
    const told = keepCalling(port);
    await reaches(20, () => byStatus(told, 200).length);
    writeFileSync(workspace.path('halted'), '1');
    await reaches(20, () => byStatus(told, 409).filter(({ said }) => said?.body.includes('says')).length);
    expect((await ask(port, 'GET', '/readyz')).status).toBe(200);
    const releasedMs = systemClock.monotonicMs();
    writeFileSync(workspace.path('halted'), '0');
    await eventually(() => told.at(-1)?.said?.status === 200, { timeoutMs: 20_000 });
    await stopCallers();
    const refused = byStatus(told, 409);
    // A service that gets no time to read its file refuses as well, for as long as that lasts.
    const byFile = refused.filter(({ said }) => said?.body.includes('says \\"1\\"'));
    const haltedMs = Math.min(...byFile.map(({ atMs }) => atMs));
    const { arrived, filled } = await scene.books();
    for (const { said } of refused) expect(bodyOf(said)).toMatchObject({ error: 'kill_switch_enabled' });
    expect(arrived.filter(({ sentMs }) => sentMs > haltedMs && sentMs < releasedMs)).toEqual([]);
    expect(orders(byStatus(told, 200))).toEqual(orders(filled));
    expect(arrived.filter(({ id }) => refused.some((order) => order.id === id))).toEqual([]);
  });

  it('S2: an order whose answer is lost is told unknown, can be asked for, and is named at the end', { timeout: 180_000 }, async () => {
    scene = await startOrderService('0');
    const { child, port, venue } = scene;
    await venue.setSwitches({ dropAnswers: { next: 1 } });
    // Refused, it was not sent: while the switch has not been read lately enough it may be asked for again.
    const lost = await eventually(async () => {
      const said = await ask(port, 'POST', '/orders', orderBody('lost', 3));
      return said.status === 409 ? undefined : said;
    });
    expect([lost.status, bodyOf(lost)]).toMatchObject([504, { error: 'order_outcome_unknown' }]);
    expect(bodyOf(await ask(port, 'GET', '/orders/AAPL/lost'))).toMatchObject({ found: true, report: { status: 'filled' } });
    child.signal('SIGTERM');
    expect(await child.ending()).toBe('SIGTERM');
    expect(child.lines.at(-1)).toBe('shut down: SIGTERM, 1 orders unfinished');
    expect(child.errors).toMatch(/^failflat: shutdown \(SIGTERM\): .*lost.*unknown.*\n$/);
    expect(orders((await scene.books()).filled)).toEqual(['lost × 3']);
  });

  it('S3: without its file it is halted, alive and ready', { timeout: 180_000 }, async () => {
    scene = await startOrderService('');
    const { port } = scene;
    const said = await ask(port, 'POST', '/orders', orderBody('a'));
    expect([said.status, bodyOf(said)]).toMatchObject([409, { error: 'kill_switch_enabled', reason: 'file:halted is empty' }]);
    expect((await ask(port, 'GET', '/readyz')).status).toBe(200);
    expect((await scene.books()).arrived).toEqual([]);
  });

  it('does what its README says, command by command', { timeout: 180_000 }, async () => {
    scene = await startOrderService('0');
    const { child, port, workspace } = scene;
    const steps = stepsOf(readFileSync(join(REPOSITORY, 'examples/order-service/README.md'), 'utf8'));
    expect(steps.filter(({ command }) => command.startsWith('curl ')).length).toBeGreaterThan(10);
    for (const { command, answer } of steps) {
      const here = command.replaceAll('http://127.0.0.1:3000', `http://127.0.0.1:${port}`);
      const run = async (): Promise<unknown> =>
        readable((await promisify(execFile)('sh', ['-c', here], { cwd: workspace.directory })).stdout);
      // What changes nothing may be asked again until a change in the file has been seen, and so may an order that the switch kept back.
      let said: unknown;
      const isSettled = async (): Promise<boolean> => {
        said = await run();
        return isDeepStrictEqual(said, answer) || !(isQuestion(command) || isKeptBack(said));
      };
      await eventually(isSettled).catch(() => undefined);
      expect(said, command).toEqual(answer);
    }
    child.signal('SIGINT');
    await child.ending();
    expect(readFileSync(join(REPOSITORY, 'examples/order-service/README.md'), 'utf8')).toContain(`\n${child.lines.at(-1)}\n`);
  });
});

interface Step {
  readonly command: string;
  readonly answer: unknown;
}

/** Each command of the page that a reader gives while the service runs, with the answer that stands below it. */
function stepsOf(page: string): readonly Step[] {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)\n```)?/gms)];
  return blocks
    .map(([, command = '', answer = '']) => ({ command, answer: readable(answer) }))
    .filter(({ command }) => !/^(?:node |printf 0 > halted\nnode )/.test(command));
}

const isQuestion = (command: string): boolean => command.startsWith('curl ') && !/ -d | -X /.test(command.replaceAll('\\\n', ' '));

const isKeptBack = (said: unknown): boolean =>
  isDeepStrictEqual(said, { value: { ...valueOf(said), error: 'kill_switch_enabled' }, status: '409' });

const valueOf = (said: unknown): object =>
  typeof said === 'object' && said !== null && 'value' in said && typeof said.value === 'object' && said.value !== null ? said.value : {};

/** What curl printed: the body, whatever the order of its fields and without what differs from run to run, and the status. */
function readable(text: string): unknown {
  const [, body, status] = /^([[{].*[\]}])(?: (\d{3}))?\n?$/.exec(text) ?? [];
  if (body === undefined) return text;
  const value: unknown = JSON.parse(body, (key, field: unknown) => (key === 'sinceWallMs' ? typeof field : field));
  return { value, status };
}
