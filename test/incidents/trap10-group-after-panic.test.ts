import { afterEach, describe, expect, it } from 'vitest';
import { PANIC_CLOSE, panicGroup } from '../../src/messages/panicClose.js';
import { type BusPlace, EVERY_BUS } from '../support/everyBus.js';

describe.each(EVERY_BUS)('trap 10: on %s', (_name, start) => {
  let place: BusPlace;
  afterEach(() => place.remove());

  it('trap 10: S6: a panic that was written before any worker had ever started is delivered to the first that starts', async () => {
    place = await start();
    const watchdog = await place.open();
    await watchdog.append(PANIC_CLOSE, { event_id: 'early' }, { idempotencyKey: 'panic_close/early' });
    await watchdog.close();
    const worker = await place.open();
    for (const account of ['default', 'second']) {
      const delivery = await worker.group(PANIC_CLOSE, panicGroup(account)).next('worker', { minIdleMs: 2_000 });
      expect(delivery).toMatchObject({ record: { fields: { event_id: 'early' } }, deliveries: 1 });
    }
  });
});
