/** Arms trading for a drill as an operator does. */
import type { Bus } from '../bus/bus.js';
import type { ScaledTimings } from '../roles/scale.js';
import { readTradingState } from '../tradingState/read.js';
import { RearmRefusedError, rearm } from '../tradingState/rearm.js';

/** How often a re-arm that fell back to HALTED is given again. */
const REARMS_AGAIN = 2;

/** A re-arm that fell back because someone stood still for a moment is given again, naming the halt that it left. */
export async function armTrading(bus: Bus, { rearm: times }: Pick<ScaledTimings, 'rearm'>, say: (text: string) => void): Promise<void> {
  const deps = { dwellMs: times.dwellMs, observeMs: times.observeMs };
  for (let fallenBack = 0; ; fallenBack++) {
    const { state } = await readTradingState(bus);
    try {
      await rearm(bus, { by: 'drill', reason: 'drill', clears: state.halts.map(({ id }) => id) }, deps);
      return;
    } catch (error) {
      if (!(error instanceof RearmRefusedError && error.stage === 'dwell') || fallenBack >= REARMS_AGAIN) throw error;
      say(error.message);
    }
  }
}
