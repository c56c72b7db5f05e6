/** Patched methods are hit through their object, and are exactly what they were when the last engine has left, in whatever order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChaosEngine, chaosContext } from '../../../src/chaos/index.js';

class Client {
  sent = 0;
  async send(amount: number): Promise<number> {
    this.sent += amount;
    return this.sent;
  }
  readonly fetch = async (): Promise<string> => 'own property';
}

const HITS = { armed: true, failureRate: 1, types: ['memory'] } as const;

const shapeOf = (client: Client) => ({
  send: Object.getOwnPropertyDescriptor(client, 'send'),
  fetch: Object.getOwnPropertyDescriptor(client, 'fetch'),
  keys: Object.keys(client),
});

describe('a patched method', () => {
  it('is hit for everyone who calls it, and restored at the end of the block', async () => {
    const client = new Client();
    const before = shapeOf(client);
    {
      await using engine = chaosContext({ ...HITS, atCalls: [1] });
      engine.patch(client, 'send');
      await expect(client.send(1)).rejects.toThrow('injected at send');
      expect(await client.send(2)).toBe(2);
      expect(client.send.name).toBe('send');
    }
    expect(shapeOf(client)).toEqual(before);
    expect(await client.send(3)).toBe(5);
  });

  it('is restored where the block throws half-way', async () => {
    const client = new Client();
    const before = shapeOf(client);
    const block = async () => {
      await using engine = chaosContext(HITS);
      engine.patch(client, 'send');
      engine.patch(client, 'fetch');
      // @ts-expect-error not a method: what a caller without types may hand over
      engine.patch(client, 'sent');
    };
    await expect(block()).rejects.toThrow('method = "sent"');
    expect(shapeOf(client)).toEqual(before);
  });

  it('is left to somebody else who has replaced it meanwhile', async () => {
    const client = new Client();
    const engine = chaosContext(HITS);
    engine.patch(client, 'send');
    const through = client.send.bind(client);
    const theirs = async (amount: number) => through(amount);
    client.send = theirs;
    await engine.close();
    expect(client.send).toBe(theirs);
    expect(await client.send(1)).toBe(1);
  });

  it('refuses after the close', async () => {
    const engine = chaosContext(HITS);
    await engine.close();
    expect(() => engine.patch(new Client(), 'send')).toThrow('must be open');
  });

  it('any number of engines may patch and leave in any order', async () => {
    const step = fc.record({
      engine: fc.integer({ min: 0, max: 3 }),
      what: fc.constantFrom('send' as const, 'fetch' as const, 'close' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), async (steps, leaving) => {
        const client = new Client();
        const before = shapeOf(client);
        const engines = [0, 1, 2, 3].map(() => new ChaosEngine({ ...HITS, failureRate: 0 }));
        const open = new Set([0, 1, 2, 3]);
        for (const { engine, what } of steps) {
          if (what === 'close') {
            open.delete(engine);
            await engines[engine]?.close();
          } else if (open.has(engine)) engines[engine]?.patch(client, what);
          expect(await client.send(0)).toBe(0);
          expect(await client.fetch()).toBe('own property');
        }
        for (const engine of leaving) await engines[engine]?.close();
        expect(shapeOf(client)).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  it('an engine that leaves takes its own faults with it and leaves the others’', async () => {
    const client = new Client();
    const first = chaosContext(HITS);
    const second = chaosContext(HITS);
    first.patch(client, 'send');
    second.patch(client, 'send');
    await first.close();
    await expect(client.send(1)).rejects.toThrow('injected');
    expect([first.result().calls, second.result().calls]).toEqual([0, 1]);
    await second.close();
    expect(await client.send(1)).toBe(1);
  });
});
