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
});
