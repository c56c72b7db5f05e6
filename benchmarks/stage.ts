/** The drill's own processes, for benchmarks that need a whole system at work. */
import { createPaperBroker } from '../src/brokers/paper/index.js';
import { systemClock } from '../src/clock.js';
import { chooseBars } from '../src/drill/bars.js';
import { ACCOUNT } from '../src/drill/cast.js';
import { Conductor } from '../src/drill/conductor.js';
import { DEFAULT_DRILL, type DrillOptions } from '../src/drill/options.js';
import { seededRandom } from '../src/random.js';
import { readTradingState } from '../src/tradingState/read.js';
import { rearm } from '../src/tradingState/rearm.js';

export async function openStage(options: Partial<DrillOptions>): Promise<Conductor> {
  return Conductor.open({
    drill: { ...DEFAULT_DRILL, ...options },
    bars: await chooseBars(),
    variants: new Map(),
    onEvent: () => {},
    onLog: () => {},
    signal: new AbortController().signal,
    random: seededRandom(1),
  });
}

/** How long each stage of a re-arm lasts in a benchmark: the figures are of what comes after it. */
const STAGE_MS = 400;

/** Clears every halt with the positions that are open, as an operator does; tried again while somebody stands still for a moment. */
export async function armAgain({ cast }: Conductor, timeoutMs = 20_000): Promise<void> {
  const untilMs = systemClock.monotonicMs() + timeoutMs;
  const broker = createPaperBroker({ url: cast.venueUrl, account: ACCOUNT, source: 'bench' });
  const readBook = async () => (await broker.positions()).map(({ symbol, quantity }) => ({ account: ACCOUNT, symbol, quantity }));
  try {
    for (;;) {
      try {
        const { state } = await readTradingState(cast.bus);
        const request = { by: 'bench', reason: 'the next round', clears: state.halts.map(({ id }) => id), acknowledged: await readBook() };
        await rearm(cast.bus, request, { dwellMs: STAGE_MS, observeMs: STAGE_MS, readBook });
        return;
      } catch (error) {
        if (systemClock.monotonicMs() > untilMs) throw error;
        await systemClock.sleep(100);
      }
    }
  } finally {
    await broker.close();
  }
}
