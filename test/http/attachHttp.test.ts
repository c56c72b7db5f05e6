/** A real server, real connections: probes, refusals, and an end that waits for what is in flight and for nothing else. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { attachHttp, type HttpAttachment } from '../../src/http/attachHttp.js';
import type { HttpOptions } from '../../src/http/options.js';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { onShutdown, resetProcessShutdown } from '../../src/process/shutdown.js';
import { createShutdownGate, type ShutdownGate } from '../../src/shutdownGate/gate.js';
import { requestShutdown, shutdownGate } from '../../src/shutdownGate/processGate.js';
import { settled, switchable } from '../shutdownGate/support.js';
import { eventually } from '../support/eventually.js';
import { Caller } from './support.js';

class Site {
  readonly gate: ShutdownGate = createShutdownGate();
  readonly seen: string[] = [];
  /** Requests to `/slow` that wait to be answered. */
  readonly slow: ServerResponse[] = [];
  readonly server: Server;
  readonly attachment: HttpAttachment;
  readonly #callers: Caller[] = [];

  constructor(options: HttpOptions = {}) {
    this.server = createServer((request, response) => this.#answer(request, response));
    this.attachment = attachHttp(this.server, { gate: this.gate, noticeMs: 0, ...options });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (request.url === '/begun') response.write('begun');
    if (request.url === '/slow' || request.url === '/begun') this.slow.push(response);
    else if (request.url === '/stream') response.write('for ever');
    else response.end('ok');
  }

  async open(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async caller(): Promise<Caller> {
    const caller = await Caller.to((this.server.address() as AddressInfo).port);
    this.#callers.push(caller);
    return caller;
  }

  async end(): Promise<void> {
    for (const caller of this.#callers) caller.end();
    this.server.closeAllConnections();
    await this.attachment.close();
  }
}

let site: Site;
async function open(options: HttpOptions = {}): Promise<Site> {
  site = new Site(options);
  await site.open();
  return site;
}
afterEach(() => site.end());

describe('while the process runs', () => {
  it('probes are answered, and the program sees everything else', async () => {
    await open();
    const caller = await site.caller();
    const statuses: number[] = [];
    for (const [method, path] of [
      ['GET', '/livez'],
      ['GET', '/readyz'],
      ['POST', '/orders'],
      ['GET', '/orders'],
    ] as const) {
      caller.ask(method, path);
      statuses.push((await caller.answer()).status);
    }
    expect([statuses, site.seen, site.attachment.ready]).toEqual([[200, 200, 200, 200], ['POST /orders', 'GET /orders'], true]);
  });

  it('a halted switch answers 409 on a connection that stays, and the program never sees the order, body and all', async () => {
    const killSwitch = switchable('kill_switch');
    killSwitch.code = 'kill_switch_enabled';
    await open({ killSwitch });
    const caller = await site.caller();
    caller.ask('POST', '/orders', { body: '{"quantity":1}' });
    const said = await caller.answer();
    expect([said.status, JSON.parse(said.body)]).toEqual([
      409,
      { error: 'kill_switch_enabled', source: 'test', reason: 'says kill_switch_enabled' },
    ]);
    expect(said.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'keep-alive' });
    caller.ask('DELETE', '/orders/1');
    expect((await caller.answer()).status).toBe(200);
    killSwitch.code = undefined;
    caller.ask('POST', '/orders', { body: '{}' });
    expect((await caller.answer()).status).toBe(200);
    expect(site.seen).toEqual(['DELETE /orders/1', 'POST /orders']);
  });

  it('the kill switch itself does: what it reads is what callers are told', async () => {
    const answer = { halted: true };
    const killSwitch = createKillSwitch({ sources: [functionSource(() => answer.halted, { name: 'desk' })], pollMs: 10 });
    await killSwitch.ready;
    await open({ killSwitch });
    const caller = await site.caller();
    caller.ask('POST', '/orders');
    const said = await caller.answer();
    expect([said.status, JSON.parse(said.body)]).toEqual([409, expect.objectContaining({ error: 'kill_switch_enabled' })]);
    answer.halted = false;
    await eventually(() => !killSwitch.isHalted());
    caller.ask('POST', '/orders');
    expect((await caller.answer()).status).toBe(200);
    await killSwitch.close();
  });

  it('nobody may attach twice; after it was closed one may', async () => {
    await open();
    expect(() => attachHttp(site.server)).toThrow(ConfigurationError);
    await site.attachment.close();
    await attachHttp(site.server, { gate: site.gate })[Symbol.asyncDispose]();
  });

  it('steps aside when it is closed, unless somebody stands in front of it by then', async () => {
    await open();
    await site.attachment.close();
    expect(Object.hasOwn(site.server, 'emit')).toBe(false);
    const server = createServer();
    const inner = server.emit.bind(server);
    Object.defineProperty(server, 'emit', { value: inner, configurable: true, writable: true });
    await attachHttp(server, { gate: site.gate }).close();
    expect(server.emit).toBe(inner);
    const attachment = attachHttp(server, { gate: site.gate });
    const front = server.emit.bind(server);
    server.emit = front;
    await attachment.close();
    expect(server.emit).toBe(front);
  });
});

describe('once the shutdown was requested', () => {
  it('trap 16: readiness and new work say 503 at once on old and new connections, while liveness and reading go on', async () => {
    await open({ noticeMs: 60_000 });
    const old = await site.caller();
    old.ask('GET', '/readyz');
    await old.answer();
    site.gate.requestShutdown('SIGTERM');
    expect(site.attachment.ready).toBe(false);
    const answers = new Map<string, number>();
    for (const [method, path] of [
      ['GET', '/readyz'],
      ['POST', '/orders'],
      ['GET', '/livez'],
      ['GET', '/orders'],
    ] as const) {
      const caller = await site.caller();
      caller.ask(method, path);
      const said = await caller.answer();
      expect(said.headers['connection']).toBe('close');
      answers.set(`${method} ${path}`, said.status);
      await caller.gone();
    }
    expect(Object.fromEntries(answers)).toEqual({ 'GET /readyz': 503, 'POST /orders': 503, 'GET /livez': 200, 'GET /orders': 200 });
    old.ask('POST', '/orders', { body: 'x'.repeat(100_000) });
    const said = await old.answer();
    expect([said.status, said.headers['retry-after'], JSON.parse(said.body)]).toEqual([
      503,
      '1',
      { error: 'shutting_down', reason: 'SIGTERM' },
    ]);
    await old.gone();
    expect(site.seen).toEqual(['GET /orders']);
  });

  it('what is in flight finishes, and its connection ends with its answer', async () => {
    await open();
    const caller = await site.caller();
    caller.ask('POST', '/slow');
    await eventually(() => site.slow.length === 1);
    site.gate.requestShutdown('SIGTERM');
    const closed = once(site.server, 'close');
    await eventually(() => !site.server.listening);
    site.slow[0]?.end('done');
    const said = await caller.answer();
    expect([said.status, said.headers['connection']]).toEqual([200, 'close']);
    await caller.gone();
    await closed;
  });

  it('an answer that had begun before ends its connection too', async () => {
    await open();
    const caller = await site.caller();
    caller.ask('GET', '/begun');
    await eventually(() => caller.received.includes('begun'));
    expect(caller.received).toContain('keep-alive');
    const closed = once(site.server, 'close');
    site.gate.requestShutdown('SIGTERM');
    await eventually(() => !site.server.listening);
    expect(caller.closed).toBe(false);
    site.slow[0]?.end('and done');
    await caller.gone();
    expect(caller.received).toContain('and done');
    await closed;
  });

  it('connections on which nothing is in flight do not hold the end: idle, silent, or with half a request', async () => {
    await open();
    const idle = await site.caller();
    idle.ask('GET', '/orders');
    expect((await idle.answer()).headers['connection']).toBe('keep-alive');
    const silent = await site.caller();
    const half = await site.caller();
    half.write('POST /orders HTTP/1.1\r\nhost: ');
    await eventually(async () => (await connectionsOf(site.server)) === 3);
    const closed = once(site.server, 'close');
    site.gate.requestShutdown('SIGTERM');
    await closed;
    await Promise.all([idle.gone(), silent.gone(), half.gone()]);
  });

  it('what never ends is cut when its time is up: a stream, and a connection that speaks something else', async () => {
    await open({ closeTimeoutMs: 100 });
    site.server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\nhello'));
    const stream = await site.caller();
    stream.ask('GET', '/stream');
    await eventually(() => stream.received.includes('for ever'));
    const upgraded = await site.caller();
    upgraded.ask('GET', '/socket', { headers: { connection: 'upgrade', upgrade: 'websocket' } });
    await eventually(() => upgraded.received.includes('hello'));
    const closed = once(site.server, 'close');
    site.gate.requestShutdown('SIGTERM');
    await eventually(() => !site.server.listening);
    expect([stream.closed, upgraded.closed]).toEqual([false, false]);
    await closed;
    await Promise.all([stream.gone(), upgraded.gone()]);
  });

  it('a connection that comes to speak something else is told 503', async () => {
    await open({ noticeMs: 60_000 });
    const upgrades: string[] = [];
    site.server.on('upgrade', () => upgrades.push('seen'));
    site.gate.requestShutdown('SIGTERM');
    const caller = await site.caller();
    caller.ask('GET', '/socket', { headers: { connection: 'upgrade', upgrade: 'websocket' } });
    const said = await caller.answer();
    expect([said.status, JSON.parse(said.body), upgrades]).toEqual([503, { error: 'shutting_down', reason: 'SIGTERM' }, []]);
    await caller.gone();
  });

  it('who asks whether to go on with a body is told 503 instead', async () => {
    await open({ noticeMs: 60_000 });
    site.server.on('checkContinue', () => site.seen.push('continue'));
    site.gate.requestShutdown('SIGTERM');
    const caller = await site.caller();
    caller.ask('POST', '/orders', { headers: { expect: '100-continue', 'content-length': '10' } });
    expect([(await caller.answer()).status, site.seen]).toEqual([503, []]);
  });

  it('two requests on one connection are both answered, and the connection is not ended by the first', async () => {
    await open();
    const caller = await site.caller();
    caller.ask('GET', '/slow');
    caller.ask('GET', '/slow');
    await eventually(() => site.slow.length === 2);
    site.gate.requestShutdown('SIGTERM');
    await eventually(() => !site.server.listening);
    site.slow[0]?.end('one');
    await settled();
    site.slow[1]?.end('two');
    const [one, two] = [await caller.answer(), await caller.answer()];
    expect([one.body, one.headers['connection'], two.body, two.headers['connection']]).toEqual(['one', undefined, 'two', 'close']);
    await caller.gone();
  });

  it('S2: what was in flight is answered before the refusal that came after it on the same connection, and ends it', async () => {
    await open({ noticeMs: 5_000 });
    const caller = await site.caller();
    caller.ask('GET', '/slow');
    await eventually(() => site.slow.length === 1);
    site.gate.requestShutdown('SIGTERM');
    caller.ask('POST', '/orders');
    caller.ask('POST', '/orders');
    await settled();
    site.slow[0]?.end('one');
    const [one, two] = [await caller.answer(), await caller.answer()];
    expect([one.body, one.headers['connection'], two.status]).toEqual(['one', undefined, 503]);
    await caller.gone();
    expect(site.seen).toEqual(['GET /slow']);
  });

  it('S2: two requests of which the newer has begun to answer are both answered', async () => {
    await open({ noticeMs: 5_000 });
    const caller = await site.caller();
    caller.ask('GET', '/slow');
    caller.ask('GET', '/begun');
    await eventually(() => site.slow.length === 2);
    site.gate.requestShutdown('SIGTERM');
    site.slow[0]?.end('one');
    expect((await caller.answer()).body).toBe('one');
    site.slow[1]?.end(' and done');
    await eventually(() => caller.received.endsWith('0\r\n\r\n'));
    expect(caller.received).toContain(' and done');
  });

  it('a server of HTTP/2 is refused, whose connections no answer ends', () => {
    const attach = () => Reflect.apply(attachHttp, undefined, [createHttp2Server(), {}]) as unknown;
    expect(attach).toThrow(ConfigurationError);
    expect(attach).toThrow('must be a server of node:http or node:https');
  });

  it('a server that was never opened, or closed already, is as closed as it gets', async () => {
    await open();
    const server = createServer();
    await attachHttp(server, { gate: site.gate }).close();
    expect(server.listening).toBe(false);
  });
});

describe('of the process', () => {
  beforeEach(resetProcessShutdown);
  afterEach(resetProcessShutdown);

  it('the server is closed after the drain, as a hook, and the hooks that are older come after it', async () => {
    const seen: string[] = [];
    onShutdown(() => seen.push('database'));
    await open({ gate: shutdownGate, noticeMs: 50 });
    site.server.on('close', () => seen.push('server'));
    const permit = shutdownGate.tryEnter('order');
    requestShutdown('SIGTERM');
    const caller = await site.caller();
    caller.ask('POST', '/orders');
    expect((await caller.answer()).status).toBe(503);
    expect([site.server.listening, seen]).toEqual([true, []]);
    if (permit.ok) permit.settle('acknowledged');
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['server', 'database']);
  });

  it('without a gate of its own it is the process’s; closed by hand it is nobody’s hook any more', async () => {
    site = new Site({ gate: shutdownGate });
    await site.open();
    const server = createServer();
    const other = attachHttp(server);
    await other.close();
    requestShutdown('SIGTERM');
    expect([site.attachment.ready, other.ready]).toEqual([false, false]);
    await eventually(() => !site.server.listening);
  });

  it('attached after the shutdown was requested it is closed with it', async () => {
    requestShutdown('SIGTERM');
    await open({ gate: shutdownGate });
    await eventually(() => !site.server.listening);
  });
});

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
