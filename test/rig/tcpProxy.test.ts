/** The proxy stands for a network: it may hold, delay and cut, and it may never make up what no network could deliver. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { type ProxyMode, TcpProxy } from '../../src/rig/tcpProxy.js';
import { eventually } from '../support/eventually.js';
import { fcSeed } from '../support/seed.js';

let echo: Server;
let reached: string;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  reached = '';
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => {
      reached += text;
      socket.write(text);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('the echo server has no port');
  proxy = await TcpProxy.start(address.port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  echo.close();
});

interface Client {
  readonly socket: Socket;
  received: string;
  error: string | undefined;
}

async function client(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  const made: Client = { socket, received: '', error: undefined };
  socket.setEncoding('utf8').on('data', (text: string) => {
    made.received += text;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    made.error = error.code;
  });
  await eventually(() => socket.readyState === 'open' || socket.closed);
  return made;
}

const modeArbitrary: fc.Arbitrary<ProxyMode> = fc.oneof(
  fc.constant<ProxyMode>({ kind: 'pass' }),
  fc.constantFrom<ProxyMode>({ kind: 'stall' }, { kind: 'stall', direction: 'to-server' }, { kind: 'stall', direction: 'to-client' }),
  fc.integer({ min: 0, max: 8 }).map((ms): ProxyMode => ({ kind: 'delay', ms })),
);

describe('the TCP proxy', () => {
  it('never drops, repeats, reorders or makes up a byte, whatever its modes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            modeArbitrary.map((mode) => ({ mode })),
            fc.string({ minLength: 1, maxLength: 400 }).map((text) => ({ text })),
          ),
          {
            maxLength: 25,
          },
        ),
        async (steps) => {
          reached = '';
          const one = await client();
          let sent = '';
          for (const step of steps) {
            if ('mode' in step) proxy.set(step.mode);
            else {
              sent += step.text;
              one.socket.write(step.text);
            }
            await systemClock.sleep(0);
            expect(sent.startsWith(one.received)).toBe(true);
          }
          proxy.set({ kind: 'pass' });
          await eventually(() => one.received.length >= sent.length);
          expect(one.received).toBe(sent);
          expect(reached).toBe(sent);
          one.socket.destroy();
        },
      ),
      { seed: fcSeed, numRuns: 60 },
    );
  });

  it('holds what is sent into a stall, and nobody is told', async () => {
    const one = await client();
    proxy.set({ kind: 'stall' });
    one.socket.write('held');
    const late = await client();
    late.socket.write('late');
    await systemClock.sleep(50);
    expect([reached, one.received, one.error, late.error]).toEqual(['', '', undefined, undefined]);
    proxy.set({ kind: 'pass' });
    await eventually(() => one.received === 'held' && late.received === 'late');
  });

  it('delays by as much as it says', async () => {
    const one = await client();
    proxy.set({ kind: 'delay', ms: 40 });
    const beganMs = systemClock.monotonicMs();
    one.socket.write('slow');
    await eventually(() => one.received === 'slow');
    expect(systemClock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(80);
  });

  it('loses a reply after its request took effect, by cutting the connection', async () => {
    const one = await client();
    proxy.set({ kind: 'lose-reply' });
    one.socket.write('done');
    await eventually(() => one.error === 'ECONNRESET');
    expect([reached, one.received]).toEqual(['done', '']);
  });

  it('resets what stands and what comes', async () => {
    const one = await client();
    proxy.set({ kind: 'reset' });
    await eventually(() => one.error === 'ECONNRESET');
    const late = await client();
    late.socket.write('x');
    await eventually(() => late.error !== undefined);
    expect(reached).toBe('');
    proxy.set({ kind: 'pass' });
    const next = await client();
    next.socket.write('back');
    await eventually(() => next.received === 'back');
  });
});
