/** The paper broker: the conformance of its port, and which failures prove that an order was not sent. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPaperBroker, createVenueClient } from '../../src/brokers/paper/index.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { runVenue } from '../../src/venue/command.js';
import { brokerConformance } from '../conformance/brokerConformance.js';
import { eventually } from '../support/eventually.js';

brokerConformance(
  'the paper venue',
  async () => {
    const venue = await runVenue({ environment: 'bench', accounts: ['main'] });
    const client = createVenueClient(venue.url);
    const set = (patch: Parameters<typeof client.setSwitches>[0]) => client.setSwitches(patch).then(() => undefined);
    return {
      broker: createPaperBroker({ url: venue.url, account: 'main', environment: 'bench', timeoutMs: 150 }),
      symbol: 'AAPL',
      quantity: 0.3,
      restingPrice: 1,
      account: 'main',
      environment: 'bench',
      closeVenue: async () => {
        await client.close();
        await venue.close();
      },
      levers: {
        failReads: () => set({ readFailures: { next: 2 } }),
        rejectNext: (reason) => set({ rejects: { next: 1, reason } }),
        dropNextAnswer: () => set({ dropAnswers: { next: 1 } }),
        hang: () => set({ frozen: true }),
        minQuantity: (quantity) => set({ defaultMinQuantity: quantity }),
      },
    };
  },
  () => true,
);

const ORDER = {
  clientOrderId: 'c1',
  symbol: 'AAPL',
  positionSide: 'net',
  side: 'buy',
  type: 'market',
  quantity: 1,
  reduceOnly: false,
} as const;

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return `http://127.0.0.1:${address.port}`;
}

function brokerAt(url: string, timeoutMs = 2_000) {
  const broker = createPaperBroker({ url, account: 'main', timeoutMs });
  onTestFinished(() => broker.close());
  return broker;
}

/** A peer that counts what reaches it, and does to each connection what the test says. */
async function rawPeer(
  onConnection: (socket: Socket) => void,
): Promise<{ url: string; received: () => string; connections: () => number }> {
  let received = '';
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  const url = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url, received: () => received, connections: () => connections };
}

async function answering(status: number, body: string): Promise<string> {
  const server = createHttpServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return listening(server);
}

describe('was it sent?', () => {
  it('a refused connection proves that it was not: the order is rejected, reads stay unavailable', async () => {
    const venue = await runVenue();
    const broker = brokerAt(venue.url);
    await venue.close();
    const refused = broker.submit(ORDER);
    await expect(refused).rejects.toMatchObject({ code: 'broker_rejected' });
    await expect(refused).rejects.toThrow('not sent: connect ECONNREFUSED');
    await expect(broker.positions()).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(broker.cancel({ orderId: 'o1', symbol: 'AAPL' })).rejects.toMatchObject({ code: 'broker_unavailable' });
  });

  it('a venue that dies with the order in its hands, on a kept connection, leaves its fate unknown', async () => {
    const venue = await runVenue({ accounts: ['main'] });
    const client = createVenueClient(venue.url);
    const broker = brokerAt(venue.url);
    await broker.submit(ORDER);
    await client.setSwitches({ latencyMs: 60_000 });
    const outcome = expect(broker.submit({ ...ORDER, clientOrderId: 'c2' })).rejects.toMatchObject({ code: 'broker_unavailable' });
    await eventually(async () => (await client.evidence()).events.filter(({ kind }) => kind === 'request').length === 2);
    await client.close();
    await venue.close();
    await outcome;
  });

  it('a connection that was taken and reset is of unknown fate, and is not tried again', async () => {
    const peer = await rawPeer((socket) => socket.on('data', () => socket.resetAndDestroy()));
    await expect(brokerAt(peer.url).submit(ORDER)).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(peer.connections()).toBe(1);
    expect(peer.received()).toContain('"clientOrderId":"c1"');
  });

  it('half an answer is no answer', async () => {
    const peer = await rawPeer((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"orderId":"o1","status":"filled"')),
    );
    await expect(brokerAt(peer.url).submit(ORDER)).rejects.toMatchObject({ code: 'broker_unavailable' });
  });

  it.each([
    ['a success of another shape', 200, '{}'],
    ['a success that is not JSON', 200, '<html>'],
    ['a refusal without a reason', 422, '{"error":"no"}'],
    ['a refusal with an unknown reason', 422, '{"error":"no","reason":"mood"}'],
    ['a refusal that is not JSON', 403, '<html>'],
    ['a server error, whatever it says', 500, '{"error":"no","reason":"other"}'],
    ['a redirect', 302, '{"error":"no","reason":"other"}'],
  ])('%s leaves the fate unknown', async (_, status, body) => {
    const broker = brokerAt(await answering(status, body));
    await expect(broker.submit(ORDER)).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(broker.positions()).rejects.toMatchObject({ code: 'broker_unavailable' });
  });

  it('a wrong account or environment is rejected, and reads throw rather than being empty', async () => {
    const venue = await runVenue({ environment: 'testnet', accounts: ['main'] });
    onTestFinished(() => venue.close());
    const typo = createPaperBroker({ url: venue.url, account: 'mian' });
    const abroad = createPaperBroker({ url: venue.url, account: 'main', environment: 'production' });
    for (const broker of [typo, abroad]) {
      await expect(broker.submit(ORDER)).rejects.toMatchObject({ code: 'broker_rejected', reason: 'other' });
      await expect(broker.positions()).rejects.toMatchObject({ code: 'broker_unavailable' });
    }
    expect(await abroad.identity()).toEqual({ account: 'main', environment: 'testnet' });
    await Promise.all([typo.close(), abroad.close()]);
  });
});

describe('time', () => {
  it('every call settles by timeoutMs of the injected clock', async () => {
    const clock = new ManualClock();
    const peer = await rawPeer(() => undefined);
    const broker = createPaperBroker({ url: peer.url, account: 'main', timeoutMs: 300, clock });
    onTestFinished(() => broker.close());
    let settled = false;
    const outcome = broker.submit(ORDER).catch((error: unknown) => {
      settled = true;
      return error;
    });
    await eventually(() => peer.received().includes('c1'));
    await clock.advance(299);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await outcome).toMatchObject({ code: 'broker_unavailable', message: 'order c1: no answer within 300 ms' });
  });

  it('close ends what is under way; afterwards nothing is sent', async () => {
    const peer = await rawPeer(() => undefined);
    const broker = brokerAt(peer.url);
    const outcome = expect(broker.submit(ORDER)).rejects.toMatchObject({ code: 'broker_unavailable' });
    await eventually(() => peer.received().includes('c1'));
    await broker.close();
    await outcome;
    await expect(broker.submit(ORDER)).rejects.toMatchObject({ code: 'broker_rejected', message: 'not sent: the client is closed' });
    expect(peer.connections()).toBe(1);
  });
});

describe('options', () => {
  it('names field, value and bound', () => {
    expect(() => createPaperBroker({ url: 'nonsense', account: 'main' })).toThrow('url = "nonsense": must be an http URL with a port');
    expect(() => createPaperBroker({ url: 'http://127.0.0.1:1', account: 'a b' })).toThrow('account = "a b"');
    expect(() => createPaperBroker({ url: 'http://127.0.0.1:1', account: 'a', timeoutMs: 0 })).toThrow('timeoutMs = 0');
  });
});
