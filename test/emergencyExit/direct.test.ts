/** An exit without a bus ends when it is told to, and says so when it could not even begin. */
import { describe, expect, it } from 'vitest';
import type { BrokerCapabilities } from '../../src/broker/broker.js';
import { type DirectExitResult, directExit } from '../../src/emergencyExit/direct.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { createSimulatedVenue } from '../support/simulatedBroker.js';

await import('p-limit');

function scene() {
  const clock = new ManualClock();
  const venue = createSimulatedVenue(clock);
  venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
  return { clock, venue, broker: venue.broker('direct') };
}

describe('an exit without a bus', () => {
  it('does nothing when it was told to end while the venue was asked who it is', async () => {
    const { clock, venue, broker } = scene();
    const stop = new AbortController();
    const slow = {
      ...broker,
      identity: async () => {
        await clock.sleep(500);
        return broker.identity();
      },
    };
    const running = directExit({ broker: slow, account: 'default', clock, signal: stop.signal });
    await clock.advance(100);
    stop.abort();
    await clock.advance(5_000);
    expect(await running).toMatchObject({ verdict: 'stopped' });
    expect(venue.positions().get('AAPL/net')).toBe(10);
  });

  it('ends at its deadline at a venue that never says what it is capable of', async () => {
    const { clock, broker } = scene();
    const mute = { ...broker, capabilities: () => new Promise<BrokerCapabilities>(() => undefined) };
    let result: DirectExitResult | undefined;
    void directExit({ broker: mute, account: 'default', clock }).then((ended) => {
      result = ended;
    });
    await clock.advance(13_000);
    expect(result).toMatchObject({ verdict: 'deadline_passed', residue: [{ symbol: '*' }] });
  });

  it('closes the book and says that nobody was asked', async () => {
    const { clock, venue, broker } = scene();
    const running = directExit({ broker, account: 'default', clock });
    await clock.advance(12_000);
    expect(await running).toMatchObject({ verdict: 'flat_unconfirmed', progress: { total: 1, closed: 1 } });
    expect(venue.positions().size).toBe(0);
  });
});
