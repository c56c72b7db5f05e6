/** What is known of the server's clock: a deadline that is judged there must never lie later than the caller meant it. */
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { connectWithIoredis } from '../../src/bus/redis/ioredisSeam.js';
import { assembleRedis } from '../../src/bus/redis/openRedis.js';
import { APPEND, PROBE, type Script } from '../../src/bus/redis/scripts.js';
import type { Connect, RedisArgument } from '../../src/bus/redis/seam.js';
import { type ClockSample, ServerClock } from '../../src/bus/redis/serverClock.js';
import { parseRedisUrl } from '../../src/bus/redis/target.js';
import { systemClock } from '../../src/clock.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { fcSeed } from '../support/seed.js';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

it('trap 49: the clock of the server is never taken to be further on than it is, whatever delays and steps come', () => {
  const sample = fc.record({
    gapMs: fc.nat(500),
    outMs: fc.nat(200),
    backMs: fc.nat(200),
    stepMs: fc.constantFrom(0, 0, 0, -3_600_000, 3_600_000),
  });
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 30 }), fc.nat(100_000), (samples, startMs) => {
      let localMs = 1_000;
      let aheadMs = startMs;
      let clock: ServerClock | undefined;
      for (const { gapMs, outMs, backMs, stepMs } of samples) {
        localMs += gapMs;
        aheadMs += stepMs;
        const sentMs = localMs;
        const serverMs = sentMs + outMs + aheadMs;
        localMs = sentMs + outMs + backMs;
        const seen = { sentMs, serverMs, receivedMs: localMs };
        if (clock === undefined) clock = new ServerClock(seen);
        else clock.observe(seen);
        expect(clock.at(localMs)).toBeLessThanOrEqual(localMs + aheadMs);
      }
    }),
    { seed: fcSeed, numRuns: 500 },
  );
});

it('trap 49: nor when answers of another connection are taken in, whichever overtakes which', () => {
  const answer = fc.record({
    gapMs: fc.integer({ min: 1, max: 300 }),
    outMs: fc.nat(200),
    backMs: fc.nat(200),
    stepMs: fc.constantFrom(0, 0, -3_600_000, 3_600_000),
    origin: fc.constantFrom('here' as const, 'elsewhere' as const),
  });
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 30 }), (answers) => {
      let [givenMs, aheadMs] = [1_000, 0];
      const receivedMs = { here: 0, elsewhere: 0 };
      const samples = answers.map(({ gapMs, outMs, backMs, stepMs, origin }) => {
        givenMs += gapMs;
        aheadMs += stepMs;
        receivedMs[origin] = Math.max(receivedMs[origin], givenMs + backMs);
        return { origin, givenMs, aheadMs, sentMs: givenMs - outMs, serverMs: givenMs + aheadMs, receivedMs: receivedMs[origin] };
      });
      const clock = new ServerClock({ sentMs: 0, serverMs: 1, receivedMs: 1 });
      let newest: (typeof samples)[number] | undefined;
      for (const sample of samples.toSorted((a, b) => a.receivedMs - b.receivedMs)) {
        clock.observe(sample satisfies ClockSample, sample.origin);
        if (newest === undefined || sample.givenMs > newest.givenMs) newest = sample;
        expect(clock.at(0)).toBeLessThanOrEqual(newest.aheadMs);
      }
    }),
    { seed: fcSeed, numRuns: 1_000 },
  );
});

/** A server whose wall clock was set: what it says of the time and what it judges by it are `stepMs()` away from this machine's. */
function withClockSet(stepMs: () => number, deadlines: number[]): Connect {
  const runs = (script: Script, args: readonly RedisArgument[]) => args[0] === script.sha || args[0] === script.text;
  return async (address, options) => {
    const connection = await connectWithIoredis(address, options);
    const asSet = (reply: unknown) => (Array.isArray(reply) ? reply.toSpliced(1, 1, String(Number(reply[1]) + stepMs())) : reply);
    return {
      ended: connection.ended,
      drop: () => connection.drop(),
      async send(command, args) {
        if (runs(PROBE, args)) return asSet(await connection.send(command, args));
        if (!runs(APPEND, args)) return connection.send(command, args);
        const at = 2 + Number(args[1]);
        const deadlineMs = Number(args[at]) - stepMs();
        deadlines.push(deadlineMs);
        return asSet(await connection.send(command, args.toSpliced(at, 1, deadlineMs)));
      },
    };
  };
}

it.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
])(
  'trap 49: S6: after a step %s a panic on a connection that was idle is taken at once, and would not be taken late',
  async (_way, stepMs) => {
    const server = await RedisServer.start();
    undo.push(() => server.dispose());
    let steppedMs = 0;
    const deadlines: number[] = [];
    const bus = await assembleRedis(
      parseRedisUrl(server.url),
      {},
      withClockSet(() => steppedMs, deadlines),
    );
    undo.push(() => bus.close());
    expect(await bus.append(PANIC_CLOSE, { v: '1' })).toMatchObject({ outcome: 'committed' });
    steppedMs = stepMs;
    expect(await bus.probe()).toMatchObject({ ok: true });
    expect(await bus.append(PANIC_CLOSE, { v: '2' }, { timeoutMs: 400 })).toMatchObject({ outcome: 'committed' });
    expect(deadlines.at(-1)).toBeLessThanOrEqual(systemClock.wallMs() + 401);
  },
);
