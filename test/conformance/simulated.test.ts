/** The simulated bus and the simulated venue hold the rules of their ports, in real time: simulated time is driven by the system's clock. */
import type { BrokerRejectedError } from '../../src/broker/broker.js';
import { systemClock } from '../../src/clock.js';
import { seededRandom } from '../../src/random.js';
import { SimulatedRedis } from '../../src/simulation/bus/simulatedRedis.js';
import { Kernel } from '../../src/simulation/kernel/kernel.js';
import { SimulatedProcess } from '../../src/simulation/kernel/simulatedProcess.js';
import { SimulatedVenue } from '../../src/simulation/venue/simulatedVenue.js';
import { brokerConformance } from './brokerConformance.js';
import { busConformance } from './busConformance.js';

/** Simulated time that keeps up with real time until it is stopped. */
function live() {
  const startedMs = systemClock.monotonicMs();
  const kernel = new Kernel(seededRandom(1), undefined, () => systemClock.monotonicMs() - startedMs);
  const stopping = new AbortController();
  const pump = (async () => {
    while (!stopping.signal.aborted) {
      await kernel.runUntil(systemClock.monotonicMs() - startedMs);
      await systemClock.sleep(1);
    }
  })();
  let processes = 0;
  const process = () => {
    processes += 1;
    const clock = { startMs: startedMs, wallStartMs: systemClock.wallMs() };
    return new SimulatedProcess(kernel, `p${processes}`, { host: 'h', bootId: 'b', pid: processes }, clock);
  };
  const stop = async () => {
    stopping.abort();
    await pump;
  };
  return { kernel, process, stop };
}

for (const replicated of [false, true]) {
  busConformance(`the simulated bus${replicated ? ' with a copy' : ''}`, async () => {
    const { kernel, process, stop } = live();
    const redis = new SimulatedRedis(kernel, { replicated, wallStartMs: systemClock.wallMs() });
    return {
      open: async () => redis.open(process()),
      corrupt: async (stream) => redis.corrupt(stream),
      spoilLatch: async (key) => redis.spoilLatch(key),
      cutContact: async () => redis.kill(),
      dispose: stop,
    };
  });
}

brokerConformance(
  'the simulated venue',
  async () => {
    const { kernel, process, stop } = live();
    const venue = new SimulatedVenue(kernel, { accounts: ['default'] });
    const set = (patch: Parameters<SimulatedVenue['set']>[0]) => venue.set(patch);
    return {
      broker: venue.broker(process(), { account: 'default', timeoutMs: 300 }),
      symbol: 'S1',
      quantity: 3,
      restingPrice: 10,
      account: 'default',
      environment: 'paper',
      closeVenue: stop,
      levers: {
        failReads: async () =>
          set({ readFailures: { next: 'all', everyNth: 0, sources: [], symbols: [], forMs: 0, of: ['positions', 'orders'] } }),
        rejectNext: async (reason: BrokerRejectedError['reason']) =>
          set({ rejects: { next: 1, everyNth: 0, sources: [], symbols: [], reason } }),
        dropNextAnswer: async () => set({ dropAnswers: { next: 1, everyNth: 0, sources: [], symbols: [], of: ['submit'] } }),
        hang: async () => set({ frozen: true }),
        minQuantity: async (quantity: number) => set({ defaultMinQuantity: quantity }),
      },
    };
  },
  () => true,
);
