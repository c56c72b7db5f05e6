/** The exit without a bus ends by its deadline, whatever the venue says or does not say. */
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { type DirectExitResult, directExit } from '../../src/emergencyExit/direct.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { createSimulatedVenue } from '../support/simulatedBroker.js';

// Loaded here, so that the exit does not load it while the test owns the clock.
await import('p-limit');

const DEADLINE_MS = 2_000;
const READ_TIMEOUT_MS = 500;

async function exitAt(prepare: (venue: ReturnType<typeof createSimulatedVenue>) => void, wrap = (broker: Broker) => broker) {
  const clock = new ManualClock();
  const venue = createSimulatedVenue(clock);
  venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
  prepare(venue);
  let result: DirectExitResult | undefined;
  const broker = wrap(venue.broker('direct'));
  const timings = { deadlineMs: DEADLINE_MS, readTimeoutMs: READ_TIMEOUT_MS };
  void directExit({ broker, account: 'default', clock, timings }).then((ended) => {
    result = ended;
  });
  await clock.advance(DEADLINE_MS + 4 * READ_TIMEOUT_MS);
  return result;
}

function scene() {
  const clock = new ManualClock();
  const venue = createSimulatedVenue(clock);
  venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
  return { clock, venue, broker: venue.broker('direct') };
}

describe('the direct exit', () => {
  it('L2: ends by its deadline where the market is closed, and says so', async () => {
    const result = await exitAt((venue) => venue.set({ closedMarket: { symbols: ['AAPL'], orders: 'reject' } }));
    expect(result).toMatchObject({ verdict: 'market_closed', residue: [{ symbol: 'AAPL', quantity: 10 }] });
  });

  it('L2: ends by its deadline where the venue never tells what it can do', async () => {
    const mute = (broker: Broker): Broker => ({ ...broker, capabilities: () => new Promise(() => undefined) });
    const result = await exitAt(() => {}, mute);
    expect(result).toMatchObject({ verdict: 'deadline_passed', residue: [{ symbol: '*' }] });
  });

  it('S5: closes an open book, and claims no more than it can know', async () => {
    const result = await exitAt(() => {});
    expect(result).toMatchObject({ verdict: 'deadline_passed', progress: { closed: 1, openSymbols: [] } });
  });

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

  it('closes the book and says that nobody was asked', async () => {
    const { clock, venue, broker } = scene();
    const running = directExit({ broker, account: 'default', clock });
    await clock.advance(12_000);
    expect(await running).toMatchObject({ verdict: 'flat_unconfirmed', progress: { total: 1, closed: 1 } });
    expect(venue.positions().size).toBe(0);
  });
});
