/** The examples as processes: SIGTERM while an order is in flight. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { endScripts, started } from '../process/scripts.js';
import { REPOSITORY } from '../structure/source.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { Caller } from './support.js';

afterEach(endScripts);

describe.each(['orders-express.mjs', 'orders-fastify.mjs'])('examples/%s', (example) => {
  it('trap 16, S2: the order in flight is answered, new ones are told 503, liveness goes on, and the parent sees SIGTERM', async () => {
    const child = started(new TestChild(process.execPath, [join(REPOSITORY, 'examples', example), '0']));
    const port = Number((await child.line(/^listening /)).split(' ')[1]);
    const post = async (id: string, takesMs: number): Promise<Caller> => {
      const caller = await Caller.to(port);
      caller.ask('POST', '/orders', { body: JSON.stringify({ id, takesMs }), headers: { 'content-type': 'application/json' } });
      return caller;
    };
    const idle = await Caller.to(port);
    idle.ask('GET', '/orders');
    expect((await idle.answer()).status).toBe(200);
    const inFlight = await post('a', 700);
    const alive = await Caller.to(port);
    alive.ask('GET', '/livez');
    await alive.answer();
    child.signal('SIGTERM');
    // A signal and a connection that come together are taken in any order.
    await eventually(async () => {
      const probe = await Caller.to(port);
      probe.ask('GET', '/readyz');
      return (await probe.answer()).status === 503;
    });
    const late = await post('b', 0);
    const said = await late.answer();
    expect([said.status, JSON.parse(said.body)]).toEqual([503, { error: 'shutting_down', reason: 'SIGTERM' }]);
    idle.ask('GET', '/readyz');
    expect((await idle.answer()).status).toBe(503);
    const first = await inFlight.answer();
    expect([first.status, JSON.parse(first.body)]).toEqual([200, { id: 'a', status: 'filled' }]);
    expect([await child.ending(), child.lines.at(-1), child.errors]).toEqual(['SIGTERM', 'closed: SIGTERM', '']);
  });
});
