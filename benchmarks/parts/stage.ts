/** The drill's own processes, for benchmarks that need a whole system at work. */
import { createPaperBroker } from '../../src/brokers/paper/index.js';
import { systemClock } from '../../src/clock.js';
import { chooseBars } from '../../src/drill/bars.js';
import { ACCOUNT } from '../../src/drill/cast.js';
import { Conductor } from '../../src/drill/conductor.js';
import { DEFAULT_DRILL, type DrillOptions } from '../../src/drill/options.js';
import { encodeTradingState, TRADING_STATE } from '../../src/messages/tradingState.js';
import { seededRandom } from '../../src/random.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { rearm } from '../../src/tradingState/rearm.js';

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

/** Long enough for the brain, which beats once a second, to show progress in the second half. */
const DWELL_MS = 2_500;
const OBSERVE_MS = 1_500;

/** Trading again at the next epoch, without the stages of a re-arm: for what only measures how a halt travels. */
export async function armAtOnce({ cast }: Conductor): Promise<void> {
  const { state, version } = await readTradingState(cast.bus);
  const armed = { ...state, epoch: state.epoch + 1, mode: 'ACTIVE', halts: [] } as const;
  const set = await cast.bus.latch(TRADING_STATE).compareAndSet(version, encodeTradingState(armed));
  if (set.outcome !== 'committed') throw new Error(`trading was not armed: ${JSON.stringify(set)}`);
}

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
        await rearm(cast.bus, request, { dwellMs: DWELL_MS, observeMs: OBSERVE_MS, readBook });
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
