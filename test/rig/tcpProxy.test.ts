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
let accepted: number;
let serverSide: Socket | undefined;
let reads: boolean;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  reached = '';
  accepted = 0;
  reads = true;
  echo = createServer((socket) => {
    accepted += 1;
    serverSide = socket;
    socket.on('error', () => {});
    if (!reads) return;
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
  fc.constant<ProxyMode>({ kind: 'half-open' }),
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

  it('shows of a connection that it cuts a beginning of what was sent, and nothing after', async () => {
    const cutArbitrary = fc.constantFrom('reset' as const, 'lose-reply' as const);
    const stepArbitrary = fc.oneof(
      modeArbitrary.map((mode) => ({ mode })),
      fc.string({ minLength: 1, maxLength: 400 }).map((text) => ({ text })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArbitrary, { maxLength: 10 }),
        cutArbitrary,
        fc.array(stepArbitrary, { maxLength: 6 }),
        async (before, kind, after) => {
          reached = '';
          const one = await client();
          let sent = '';
          const take = async (step: { readonly mode: ProxyMode } | { readonly text: string }) => {
            if ('mode' in step) proxy.set(step.mode);
            else {
              sent += step.text;
              one.socket.write(step.text);
            }
            await systemClock.sleep(0);
            expect(sent.startsWith(one.received)).toBe(true);
            expect(sent.startsWith(reached)).toBe(true);
          };
          for (const step of before) await take(step);
          proxy.set({ kind });
          if (kind === 'lose-reply') await take({ text: 'last' });
          // Not its error: a reset that comes together with bytes is told to their reader as an end.
          await eventually(() => one.socket.closed);
          const received = one.received;
          for (const step of after) await take(step);
          proxy.set({ kind: 'pass' });
          await eventually(() => proxy.connections === 0);
          expect(one.received).toBe(received);
        },
      ),
      { seed: fcSeed, numRuns: 40 },
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

  it('half-opens: new connections stand, what is sent counts as sent, and the server hears of neither', async () => {
    proxy.set({ kind: 'half-open' });
    const one = await client();
    const sent = 'x'.repeat(8_000_000);
    await new Promise((resolve) => one.socket.write(sent, resolve));
    await eventually(() => proxy.heldBytes('to-server') === sent.length);
    expect([accepted, reached, one.received, one.error]).toEqual([0, '', '', undefined]);
    proxy.set({ kind: 'pass' });
    await eventually(() => one.received.length === sent.length);
    expect(accepted).toBe(1);
  });

  it('makes a sender wait for a reader that reads nothing', async () => {
    reads = false;
    const one = await client();
    const chunk = Buffer.alloc(1_000_000);
    for (let count = 0; count < 200; count += 1) one.socket.write(chunk);
    await eventually(() => proxy.heldBytes('to-server') > 0);
    await systemClock.sleep(100);
    expect(proxy.heldBytes('to-server')).toBeLessThan(1_000_000);
    expect(one.socket.writableLength).toBeGreaterThan(0);
  });

  it('refuses new connections while those that stand go on, until it admits them again', async () => {
    const one = await client();
    await eventually(() => proxy.connections === 1);
    proxy.refuse();
    expect((await client()).error).toBe('ECONNREFUSED');
    one.socket.write('on');
    await eventually(() => one.received === 'on');
    await proxy.admit();
    const next = await client();
    next.socket.write('back');
    await eventually(() => next.received === 'back');
  });

  it('loses the reply to one request, on the connection that sent it, and no other', async () => {
    const one = await client();
    const two = await client();
    const lost = proxy.loseReplyTo('XADD beats');
    one.socket.write('GET a;');
    await eventually(() => one.received === 'GET a;');
    one.socket.write('XADD be');
    await eventually(() => one.received === 'GET a;XADD be');
    one.socket.write('ats 1;');
    await lost;
    await eventually(() => one.error === 'ECONNRESET');
    expect([reached, one.received]).toEqual(['GET a;XADD beats 1;', 'GET a;XADD be']);
    two.socket.write('XADD beats 2;');
    await eventually(() => two.received === 'XADD beats 2;');
  });

  it('lets the server execute the request also where the reply to an earlier one comes first', async () => {
    const one = await client();
    proxy.set({ kind: 'stall', direction: 'to-client' });
    one.socket.write('earlier;');
    await eventually(() => reached === 'earlier;');
    serverSide?.pause();
    const lost = proxy.loseReplyTo('later;');
    one.socket.write('later;');
    await eventually(() => one.socket.writableLength === 0 && proxy.heldBytes('to-server') === 0);
    await systemClock.sleep(20);
    proxy.set({ kind: 'delay', ms: 0 });
    await lost;
    await eventually(() => one.socket.closed);
    serverSide?.resume();
    await eventually(() => reached === 'earlier;later;');
    expect(one.received).toBe('');
    await eventually(() => proxy.connections === 0);
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
