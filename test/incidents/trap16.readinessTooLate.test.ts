/** A service says 503 only after its server has stopped taking requests: nobody ever sees it, callers see refused connections. */
import { afterEach, describe, expect, it } from 'vitest';
import { Caller } from '../http/support.js';
import { endScripts, script } from '../process/scripts.js';

afterEach(endScripts);

const server = (attach: string): string => `
  import { createServer } from 'node:http';
  const waiting = [];
  const server = createServer((request, response) => {
    if (request.url === '/slow') { say('slow is in flight'); process.once('SIGTERM', () => setTimeout(() => response.end('done'), 700)); }
    else response.end('ok');
  });
  ${attach}
  server.listen(0, '127.0.0.1', () => say('port ' + server.address().port));
`;

const port = (line: string): number => Number(line.split(' ')[1]);

describe('trap 16', () => {
  it('trap 16: terminus: once the signal has come new callers are refused, while readiness would still have had 700 ms to speak', async () => {
    const child = script(`
      import terminus from '@godaddy/terminus';
      process.once('SIGTERM', () => setImmediate(() => say('asked to end')));
      ${server(`terminus.createTerminus(server, { timeout: 5_000, healthChecks: { '/readyz': async () => 'ready' } });`)}
    `);
    const at = port(await child.line(/^port /));
    const slow = await Caller.to(at);
    slow.ask('GET', '/slow');
    await child.line('slow is in flight');
    child.signal('SIGTERM');
    await child.line('asked to end');
    await expect(Caller.to(at)).rejects.toThrow('ECONNREFUSED');
    expect((await slow.answer()).body).toBe('done');
    await child.ending();
  });

  it('trap 16: here readiness and new work are told 503 from the first moment on, liveness 200, and what is in flight finishes', async () => {
    const child = script(`
      ${server('failflat.attachHttp(server); handleSignals();')}
      shutdownGate.signal.addEventListener('abort', () => setImmediate(() => say('asked to end')));
    `);
    const at = port(await child.line(/^port /));
    const slow = await Caller.to(at);
    slow.ask('GET', '/slow');
    await child.line('slow is in flight');
    child.signal('SIGTERM');
    await child.line('asked to end');
    const told: unknown[] = [];
    for (const [method, path] of [
      ['GET', '/readyz'],
      ['POST', '/orders'],
      ['GET', '/livez'],
    ] as const) {
      const caller = await Caller.to(at);
      caller.ask(method, path);
      told.push((await caller.answer()).status);
    }
    expect(told).toEqual([503, 503, 200]);
    expect((await slow.answer()).status).toBe(200);
    expect([await child.ending(), child.errors]).toEqual(['SIGTERM', '']);
  });
});
