/** The run in which nothing is injected: nothing may fire, and orders flow throughout. */
import { systemClock } from '../../../clock.js';
import * as stop from '../../../drill/judge/stopChecks.js';
import { ACCUSES_THE_LIVING } from '../../../drill/sabotage/brokenWatchdogs.js';
import { isTradingAgain } from '../promisedState.js';
import { noCloseUnasked, noHalt, noPanic } from '../safeguards.js';
import type { ChaosScenario } from '../scenario.js';

export const noFaultControl: ChaosScenario = {
  name: 'no_fault_control',
  summary: 'nothing is injected, and nothing may come of it',
  buses: ['journal', 'redis'],
  needs: [],
  panicDue: false,
  sabotage: { name: ACCUSES_THE_LIVING, red: 'S8' },
  mustFire: [],
  mustNotFire: [noPanic, noHalt, noCloseUnasked, stop.nothingForgotten],
  run: async (stage) => {
    const { conductor } = stage;
    await stage.trade();
    const fromMs = systemClock.monotonicMs();
    const quietForMs = 3 * conductor.timings.watchdog.rules.missingMs;
    stage.onsetMs = fromMs;
    await conductor.sleep(quietForMs);
    stage.endedMs = systemClock.monotonicMs();
    stage.doses.push({
      what: 'time in which nothing was done',
      target: Math.round(quietForMs),
      measured: Math.round(stage.endedMs - fromMs),
      unit: 'ms',
    });
    await stage.untilRecovered(() => isTradingAgain(conductor, stage.endedMs ?? Infinity));
    await conductor.sleep(1_000);
  },
};
