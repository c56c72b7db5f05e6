import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { firstSendKey, PANIC_CLOSE, panicGroup } from '../../src/messages/panicClose.js';
import { type BusPlace, EVERY_BUS } from '../support/everyBus.js';
import { createRedisScene, type RedisScene } from '../support/exitScene.js';

const GROUP = panicGroup('default');
const takenBy = (bus: Bus, consumer: string) => bus.group(PANIC_CLOSE, GROUP).next(consumer, { minIdleMs: 0 });

describe.each(EVERY_BUS)('trap 44: on %s', (_name, start) => {
  let place: BusPlace;
  afterEach(() => place.remove());

  it('trap 44: S6: a panic sent again under its own key is delivered, and what was acknowledged never comes again', async () => {
    place = await start();
    const watchdog = await place.open();
    await watchdog.append(PANIC_CLOSE, { event_id: 'e', resend: '0' }, { idempotencyKey: firstSendKey('e') });
    const worker = await place.open();
    const first = await takenBy(worker, 'worker');
    expect(await first?.ack()).toBe(true);
    await worker.close();

    expect(await watchdog.append(PANIC_CLOSE, { event_id: 'e' }, { idempotencyKey: firstSendKey('e') })).toMatchObject({
      reason: 'duplicate',
    });
    expect(await watchdog.append(PANIC_CLOSE, { event_id: 'e', resend: '1' })).toMatchObject({ outcome: 'committed' });

    const successor = await place.open();
    const second = await takenBy(successor, 'successor');
    expect(second).toMatchObject({ record: { fields: { resend: '1' } } });
    expect(await second?.ack()).toBe(true);
    expect(await takenBy(successor, 'successor')).toBeUndefined();
  });
});

describe('trap 44: a group that somebody has made anew on Redis', () => {
  let scene: RedisScene;
  afterEach(() => scene.end());

  const fills = () => scene.venue.events().filter(({ kind }) => kind === 'fill').length;
  const settled = async () => (await scene.unacknowledged()) === 0;

  async function begin(): Promise<void> {
    scene = await createRedisScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    await scene.worker();
  }

  it('trap 44: S6, S9: removed and found again from the start, it brings back no panic that is over', async () => {
    await begin();
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000, 'a completion');
    await scene.until(settled, 2_000, 'an acknowledgement');
    // Armed anew, the account trades again: what was panicked then is not to be closed now.
    await scene.arm(['default'], 2);
    scene.venue.seed([{ symbol: 'MSFT', quantity: 3 }]);
    await scene.server.command('XGROUP', 'DESTROY', PANIC_CLOSE, GROUP);
    await scene.until(async () => (await scene.audited()).includes('panic.stale_epoch'), 5_000, 'a word on the old panic');
    await scene.until(settled, 2_000, 'an acknowledgement');
    expect([...scene.venue.positions()]).toEqual([['MSFT/net', 3]]);
    expect([fills(), (await scene.completions()).length]).toEqual([1, 1]);
  });

  it('trap 44: S6: made anew at the end, it is not given a panic of before, but the one that is sent again', async () => {
    scene = await createRedisScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    await scene.panic({ eventId: 'e' });
    await scene.server.command('XGROUP', 'CREATE', PANIC_CLOSE, GROUP, '$');
    await scene.worker();
    await scene.pass(2_000);
    expect(fills(), 'nobody was given it').toBe(0);
    await scene.panic({ eventId: 'e', resend: 1 });
    await scene.until(async () => (await scene.completions()).length === 1, 12_000, 'a completion');
    expect([...scene.venue.positions()]).toEqual([]);
  });
});
