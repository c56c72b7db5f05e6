/** The publish of the panic failed once, and nobody ever tried again. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AppendOutcome } from '../../src/bus/bus.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { faultyBus, scene } from '../watchdog/scene.js';

const seed = Number(process.env['FC_SEED'] ?? 20_263);

type Fault = 'refused' | 'unknown and lost' | 'unknown but written' | 'throws';

async function suffer(fault: Fault, pass: () => Promise<AppendOutcome>): Promise<AppendOutcome> {
  if (fault === 'throws') throw new Error('broken adapter');
  if (fault === 'refused') return { outcome: 'refused', reason: 'no_space', detail: 'disk full' };
  if (fault === 'unknown but written') await pass();
  return { outcome: 'unknown', detail: 'no answer' };
}

it('trap 9, S6: whatever becomes of the first appends, the panic is on the bus at once after, and it is one panic', async () => {
  const faults = fc.array(fc.constantFrom<Fault>('refused', 'unknown and lost', 'unknown but written', 'throws'), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(faults, async (planned) => {
      const s = scene('trap9');
      await s.arm({ services: ['brain'] });
      const left = [...planned];
      const append = (stream: string, pass: () => Promise<AppendOutcome>) => {
        const fault = stream === PANIC_CLOSE ? left.shift() : undefined;
        return fault === undefined ? pass() : suffer(fault, pass);
      };
      s.watchdog({ bus: faultyBus(s.newHandle(), { append }) });
      // 20 + 40 + 80 + 160 + 320 ms of waiting at the most.
      await s.clock.advance(5_000 + 620 + 100);
      expect(await s.firstPanics()).toHaveLength(1);
      expect(left).toEqual([]);
      expect(s.alerts.filter((alert) => alert.kind === 'watchdog.panic')).toHaveLength(1);
      await s.end();
    }),
    { seed, numRuns: 25 },
  );
});

it('trap 9, S6: a bus that claims to have the panic and does not is sent it again under another key', async () => {
  const s = scene('claimed');
  await s.arm({ services: ['brain'] });
  let lied = false;
  const append = (stream: string, pass: () => Promise<AppendOutcome>): Promise<AppendOutcome> => {
    if (stream !== PANIC_CLOSE || lied) return pass();
    lied = true;
    return Promise.resolve({ outcome: 'refused', reason: 'duplicate', detail: 'its key was taken by a writer that died' });
  };
  s.watchdog({ bus: faultyBus(s.newHandle(), { append }) });
  await s.clock.advance(6_500);
  expect(await s.panics()).toMatchObject([{ resend: 1, scope: 'default' }]);
  await s.end();
});
