import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { PANIC_CLOSE, panicGroup } from '../../src/messages/panicClose.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

it('trap 10: S6: a panic that was written before any worker had ever started is delivered to the first that starts', async () => {
  const directory = temporaryDirectory();
  const watchdog = await openJournal(directory);
  await watchdog.append(PANIC_CLOSE, { event_id: 'early' }, { idempotencyKey: 'panic_close/early' });
  await watchdog.close();
  const worker = await openJournal(directory);
  for (const account of ['default', 'second']) {
    const delivery = await worker.group(PANIC_CLOSE, panicGroup(account)).next('worker', { minIdleMs: 2_000 });
    expect(delivery).toMatchObject({ record: { fields: { event_id: 'early' } }, deliveries: 1 });
  }
  await worker.close();
  rmSync(directory, { recursive: true });
});
