import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { firstSendKey, PANIC_CLOSE, panicGroup } from '../../src/messages/panicClose.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

it('trap 44: a panic sent again under its own key is delivered, and what was acknowledged never comes again', async () => {
  const directory = temporaryDirectory();
  const watchdog = await openJournal(directory);
  const group = panicGroup('default');
  await watchdog.append(PANIC_CLOSE, { event_id: 'e', resend: '0' }, { idempotencyKey: firstSendKey('e') });
  const worker = await openJournal(directory);
  const first = await worker.group(PANIC_CLOSE, group).next('worker', { minIdleMs: 2_000 });
  expect(await first?.ack()).toBe(true);
  await worker.close();

  expect(await watchdog.append(PANIC_CLOSE, { event_id: 'e' }, { idempotencyKey: firstSendKey('e') })).toMatchObject({
    reason: 'duplicate',
  });
  expect(await watchdog.append(PANIC_CLOSE, { event_id: 'e', resend: '1' })).toMatchObject({ outcome: 'committed' });

  const successor = await openJournal(directory);
  const second = await successor.group(PANIC_CLOSE, group).next('successor', { minIdleMs: 0 });
  expect(second).toMatchObject({ record: { fields: { resend: '1' } } });
  expect(await second?.ack()).toBe(true);
  expect(await successor.group(PANIC_CLOSE, group).next('successor', { minIdleMs: 0 })).toBeUndefined();
  await watchdog.close();
  await successor.close();
  rmSync(directory, { recursive: true });
});
