/** One gate for several worker threads, on real threads. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { CLOSER_AT_WORK, sharedGateMemory } from '../../src/shutdownGate/sharedGate.js';
import { eventually } from '../support/eventually.js';

const SENDER = new URL('../fixtures/threads/sender.mjs', import.meta.url);
const LIBRARY = new URL('../../dist/index.js', import.meta.url).href;
const THREADS = 2;
const ROUNDS = 300;

let threads: Worker[];
beforeAll(async () => {
  threads = Array.from({ length: THREADS }, () => new Worker(SENDER, { workerData: { library: LIBRARY } }));
  await Promise.all(threads.map((thread) => once(thread, 'message')));
});
afterAll(async () => {
  await Promise.all(threads.map((thread) => thread.terminate()));
});

describe('a gate that threads share', () => {
  it('S1 S2: once it is shut and drained, no order of any thread begins', { timeout: 60_000 }, async () => {
    let ordersSeen = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const shared = sharedGateMemory();
      const venue = new SharedArrayBuffer(4);
      const began = new Int32Array(venue);
      const gate = createShutdownGate({ shared });
      const answers = threads.map((thread) => once(thread, 'message'));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      for (const thread of threads) thread.postMessage({ shared, venue });
      await eventually(() => Atomics.load(began, 0) > 100);
      gate.requestShutdown(`round ${round}`);
      expect((await gate.waitForInflightZero({ timeoutMs: 5_000 })).drained).toBe(true);
      const atDrain = Atomics.load(began, 0);
      for (const [answer] of await Promise.all(answers)) {
        expect(answer).toMatchObject({ code: 'shutdown_requested', requested: true });
        // Refused between the flag and the words of the closer, or after them.
        const { reason } = answer as { readonly reason: string };
        expect([`round ${round}`, CLOSER_AT_WORK.reason]).toContain(reason);
      }
      expect(Atomics.load(began, 0)).toBe(atDrain);
      ordersSeen += atDrain;
    }
    expect(ordersSeen).toBeGreaterThan(ROUNDS * 100);
  });

  it('S2: a thread that dies with an order in flight holds the drain, which says how many it could not wait for', async () => {
    const shared = sharedGateMemory();
    const gate = createShutdownGate({ shared });
    const source = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.library).then(({ createShutdownGate }) => {
        createShutdownGate({ shared: workerData.shared }).tryEnter('lost');
        parentPort.postMessage('entered');
      });`;
    const thread = new Worker(source, { eval: true, workerData: { library: LIBRARY, shared } });
    await once(thread, 'message');
    await thread.terminate();
    gate.requestShutdown('stop');
    const { drained, unfinished, inflightElsewhere } = await gate.waitForInflightZero({ timeoutMs: 50 });
    expect({ drained, unfinished, inflightElsewhere }).toEqual({ drained: false, unfinished: [], inflightElsewhere: 1 });
  });
});
