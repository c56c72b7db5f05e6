/** The same over TLS, where a connection has another one below it. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { attachHttp } from '../../src/http/attachHttp.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { eventually } from '../support/eventually.js';

// A key that both sides know: no certificate is needed.
const SECRET = { psk: Buffer.from('d731ef57be09e5204f0b205b60627028', 'hex'), identity: 'test' };
const SHARED = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;

it('what is in flight finishes; idle connections and unfinished handshakes do not hold the end', async () => {
  const gate = createShutdownGate();
  const slow: (() => void)[] = [];
  const server = createServer({ ...SHARED, pskCallback: () => SECRET.psk }, (request, response) => {
    if (request.url === '/slow') slow.push(() => response.end('done'));
    else response.end('ok');
  });
  attachHttp(server, { gate, noticeMs: 0, closeTimeoutMs: 500 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (path: string) => {
    const socket = connect({ ...SHARED, host: '127.0.0.1', port, pskCallback: () => SECRET, checkServerIdentity: () => undefined });
    const state = { received: '', closed: false };
    socket.setEncoding('utf8').on('data', (text: string) => {
      state.received += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      state.closed = true;
    });
    await once(socket, 'secureConnect');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    return state;
  };
  const idle = await open('/');
  const inFlight = await open('/slow');
  await eventually(() => idle.received.endsWith('ok') && slow.length === 1);
  const shaking = connectPlain(port, '127.0.0.1');
  await once(shaking, 'connect');
  const closed = once(server, 'close');
  gate.requestShutdown('SIGTERM');
  await eventually(() => idle.closed);
  slow[0]?.();
  await eventually(() => inFlight.closed);
  expect(inFlight.received).toMatch(/done$/);
  await closed;
  shaking.destroy();
});
