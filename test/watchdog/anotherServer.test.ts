/** Behind a failover the numbers of versions begin again where the other server stands: a known number is no proof of a known state. */
import { expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeTradingState, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import { ACTIVE, SwitchedBus } from '../tradingLease/fixture.js';

function twoServers() {
  const clock = new ManualClock();
  const random = seededRandom('another server');
  const memory = (name: string) => createMemoryBus({ clock, random: random.fork(name) }).handle();
  const [first, second] = [memory('first'), memory('second')];
  const link = new SwitchedBus(first);
  const watchdog = createWatchdog({ bus: link.bus, clock, random: random.fork('watchdog'), watchdogId: 'w' });
  void watchdog.run();
  const write = async (bus: typeof first, state: TradingState) =>
    expect(await bus.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(state))).toEqual({ outcome: 'committed', version: 1 });
  const end = async () => {
    const closed = watchdog.close();
    await clock.advance(3_000);
    await closed;
  };
  return { clock, random, first, second, link, watchdog, write, end };
}

it('S3: another state under the version that is known is taken in', async () => {
  const { clock, first, second, link, watchdog, write, end } = twoServers();
  await write(first, ACTIVE);
  await write(second, { ...ACTIVE, epoch: 2, services: ['another-brain'] });
  await clock.advance(1_000);
  expect(watchdog.status()).toMatchObject({ epoch: 1, services: [{ serviceId: 'brain' }] });
  link.target = second;
  await clock.advance(1_000);
  expect(watchdog.status().epoch).toBe(2);
  expect(watchdog.status().services.map(({ serviceId }) => serviceId)).toContain('another-brain');
  await end();
});

it('S7: a halt is added again where another state bears the version of the one that held it', async () => {
  const { clock, random, first, second, link, write, end } = twoServers();
  await write(first, ACTIVE);
  await halt(first, { kind: 'manual', reason: 'stop', by: 'operator', id: 'h1' }, { clock, random });
  await clock.advance(1_000);
  await write(second, ACTIVE);
  await second.latch(TRADING_STATE).compareAndSet(1, encodeTradingState({ ...ACTIVE, changedBy: 'somebody' }));
  link.target = second;
  await clock.advance(2_000);
  expect((await readTradingState(second)).state).toMatchObject({ mode: 'HALTED', halts: [{ id: 'h1' }] });
  await end();
});
