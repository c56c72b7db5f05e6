/** A server in a locale that does not sort as bytes do: its language must decide nothing about a halt. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { type Bus, type Fields } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { messageOf } from '../../src/errors.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { RedisServer, type RedisServerOptions } from '../../src/rig/redis/server.js';
import { fcSeed } from '../support/seed.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function busIn(options: RedisServerOptions): Promise<Bus> {
  const server = await RedisServer.start(options);
  undo.push(() => server.dispose());
  const bus = await openBus(server.url);
  undo.push(() => bus.close());
  return bus;
}

/** Czech, where `ch` is a letter of its own, behind `h`; or why this system cannot make it. */
function czech(): RedisServerOptions | string {
  const directory = temporaryDirectory();
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  try {
    execFileSync('localedef', ['-i', 'cs_CZ', '-f', 'UTF-8', join(directory, 'cs_CZ.UTF-8')], { stdio: 'pipe', timeout: 60_000 });
    return { environment: { LOCPATH: directory, LC_ALL: 'cs_CZ.UTF-8' } };
  } catch (error) {
    return messageOf(error);
  }
}

it('S7: a halt can be added on a server whose locale sorts names in its own way', async (context) => {
  const options = czech();
  if (typeof options === 'string') return context.skip(`NOT TRIED, no Czech locale can be made here: ${options}`);
  const bus = await busIn(options);
  const latch = bus.latch(TRADING_STATE);
  const state = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', changedBy: 'operator' } as const;
  expect(await latch.compareAndSet(0, encodeTradingState(state))).toMatchObject({ outcome: 'committed' });
  const halt = { id: 'h', kind: 'manual', by: 'operator', reason: 'test', sinceWallMs: 1 } as const;
  expect(await latch.compareAndSet(1, encodeTradingState({ ...state, mode: 'HALTED', halts: [halt] }))).toMatchObject({
    outcome: 'committed',
  });
});

it('S7: whatever the fields of a latch are called and hold, the server understands what stands there as its readers do', async () => {
  const bus = await busIn({});
  const latch = bus.latch('any');
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('a', 'b', '_', 'ch', 'h', '\u0000', ':', '|', '='), fc.string({ unit: 'binary', maxLength: 1 })),
    maxLength: 5,
  });
  let version = 0;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(text, text, { maxKeys: 6 }), async (fields: Fields) => {
      expect(await latch.compareAndSet(version, fields)).toEqual({ outcome: 'committed', version: version + 1 });
      version += 1;
      expect(await latch.get()).toMatchObject({ version, fields });
    }),
    { seed: fcSeed, numRuns: 300 },
  );
});
