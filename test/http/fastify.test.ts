/** The plugin, in a real Fastify: its hooks and its injected requests see what is answered, and closing it does not hang. */

import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failflatFastify } from '../../src/http/fastify.js';
import type { HttpOptions } from '../../src/http/options.js';
import { onShutdown, resetProcessShutdown } from '../../src/process/shutdown.js';
import { createShutdownGate, type ShutdownGate } from '../../src/shutdownGate/gate.js';
import { requestShutdown, shutdownGate } from '../../src/shutdownGate/processGate.js';
import { switchable } from '../shutdownGate/support.js';
import { eventually } from '../support/eventually.js';
import { Caller } from './support.js';

let app: FastifyInstance;
let gate: ShutdownGate;
let slow: (() => void)[];
const callers: Caller[] = [];

async function open(options: HttpOptions = {}): Promise<void> {
  await app.register(failflatFastify, { gate, noticeMs: 0, ...options });
  app.post('/orders', () => ({ filled: true }));
  app.get('/orders', () => []);
  app.delete('/orders/:id', () => ({ cancelled: true }));
  app.post('/slow', () => new Promise((resolve) => slow.push(() => resolve('done'))));
}

async function caller(): Promise<Caller> {
  const { port } = app.server.address() as AddressInfo;
  const one = await Caller.to(port);
  callers.push(one);
  return one;
}

beforeEach(() => {
  resetProcessShutdown();
  app = fastify();
  gate = createShutdownGate();
  slow = [];
});
afterEach(async () => {
  for (const one of callers.splice(0)) one.end();
  await app.close();
  resetProcessShutdown();
});

describe('injected requests', () => {
  it('are told what real ones are: probes, 409 while halted, 503 once the shutdown was requested', async () => {
    const killSwitch = switchable('kill_switch');
    await open({ killSwitch });
    const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string) => {
      const { statusCode, headers, json } = await app.inject({ method, url });
      return { statusCode, headers, body: json<Record<string, unknown>>() };
    };
    expect([
      (await ask('GET', '/livez')).statusCode,
      (await ask('GET', '/readyz')).statusCode,
      (await ask('POST', '/orders')).body,
    ]).toEqual([200, 200, { filled: true }]);
    killSwitch.code = 'kill_switch_enabled';
    expect(await ask('POST', '/orders')).toMatchObject({
      statusCode: 409,
      body: { error: 'kill_switch_enabled' },
      headers: { 'cache-control': 'no-store' },
    });
    expect((await ask('DELETE', '/orders/1')).statusCode).toBe(200);
    gate.requestShutdown('SIGTERM');
    expect(await ask('POST', '/orders')).toMatchObject({
      statusCode: 503,
      body: { error: 'shutting_down', reason: 'SIGTERM' },
      headers: { 'retry-after': '1', connection: 'close' },
    });
  });

  it('paths are the options’ own, or none', async () => {
    await open({ livenessPath: '/alive', readinessPath: false });
    const statuses = await Promise.all(['/alive', '/livez', '/readyz'].map(async (url) => (await app.inject({ url })).statusCode));
    expect(statuses).toEqual([200, 404, 404]);
  });

  it('options that cannot hold make the registration fail', async () => {
    await expect(open({ noticeMs: -1 })).rejects.toThrow('noticeMs = -1');
  });
});

describe('real connections', () => {
  it('trap 16: readiness says 503 while the server still takes requests; what is in flight finishes; then it closes', async () => {
    await open({ noticeMs: 300 });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const inFlight = await caller();
    inFlight.ask('POST', '/slow');
    await eventually(() => slow.length === 1);
    const idle = await caller();
    idle.ask('GET', '/orders');
    await idle.answer();
    gate.requestShutdown('SIGTERM');
    const probe = await caller();
    probe.ask('GET', '/readyz');
    expect((await probe.answer()).status).toBe(503);
    const alive = await caller();
    alive.ask('GET', '/livez');
    expect((await alive.answer()).status).toBe(200);
    await eventually(() => !app.server.listening);
    await idle.gone();
    slow[0]?.();
    const said = await inFlight.answer();
    expect([said.status, said.body, said.headers['connection']]).toEqual([200, 'done', 'close']);
    await inFlight.gone();
  });

  it('a connection that becomes idle while the program itself closes the server does not hold it', async () => {
    await open();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const one = await caller();
    one.ask('POST', '/slow');
    await eventually(() => slow.length === 1);
    const closed = app.close();
    await eventually(() => !app.server.listening);
    slow[0]?.();
    await closed;
    await one.gone();
  });

  it('an upgraded connection is cut when its time is up, and refused once the shutdown was requested', async () => {
    await open({ noticeMs: 200, closeTimeoutMs: 50 });
    app.server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\nhello'));
    await app.listen({ port: 0, host: '127.0.0.1' });
    const headers = { connection: 'upgrade', upgrade: 'websocket' };
    const upgraded = await caller();
    upgraded.ask('GET', '/orders', { headers });
    await eventually(() => upgraded.received.includes('hello'));
    gate.requestShutdown('SIGTERM');
    const refused = await caller();
    refused.ask('GET', '/orders', { headers });
    expect((await refused.answer()).status).toBe(503);
    await upgraded.gone();
  });
});

it('with the process’s gate the server closes as a hook: after the drain, before older hooks', async () => {
  const seen: string[] = [];
  onShutdown(() => seen.push('database'));
  await open({ gate: shutdownGate });
  app.addHook('onClose', () => void seen.push('fastify'));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const permit = shutdownGate.tryEnter('order');
  requestShutdown('SIGTERM');
  expect(app.server.listening).toBe(true);
  if (permit.ok) permit.settle('acknowledged');
  await eventually(() => seen.length === 2);
  expect(seen).toEqual(['fastify', 'database']);
});

describe('a hook of the program that fails while it closes', () => {
  const lines: string[] = [];
  beforeEach(() => {
    lines.length = 0;
    app = fastify({ logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } } });
    app.addHook('onClose', async () => Promise.reject(new Error('database')));
  });
  afterEach(() => {
    app = fastify();
  });

  it('S13: is told to the log of the server and ends no process; what never ends is cut all the same', async () => {
    await open({ closeTimeoutMs: 100 });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const one = await caller();
    one.ask('POST', '/slow');
    await eventually(() => slow.length === 1);
    gate.requestShutdown('SIGTERM');
    await one.gone();
    await eventually(() => lines.length > 0);
    expect(app.server.listening).toBe(false);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'the server did not close well', err: { message: 'database' } });
  });
});

it('an instance that speaks HTTP/2 is refused', async () => {
  const other = fastify({ http2: true });
  const plugin: unknown = failflatFastify;
  await expect(Reflect.apply(other.register, other, [plugin, { gate }])).rejects.toThrow('must be a server of node:http or node:https');
});
