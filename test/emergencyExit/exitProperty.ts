/** What holds for every exit, whatever the scenario. */
import fc from 'fast-check';
import type { WorkerParts } from '../../src/emergencyExit/workerContext.js';
import { judgeFills, judgeOwners, judgeVerdicts } from './exitJudges.js';
import { type Outcome, play } from './exitPlay.js';
import { isBeyondHelp, type Scenario, scenarioArbitrary } from './exitScenario.js';

/** In how many random scenarios an exit is tried. */
export const EXIT_RUNS = Number(process.env['EXIT_RUNS'] ?? 120);

export type Judge = (outcome: Outcome, scenario: Scenario) => void | Promise<void>;

const EVERY_JUDGE: readonly Judge[] = [judgeFills, judgeOwners, judgeVerdicts];

export function exitProperty(judges = EVERY_JUDGE, parts?: WorkerParts): fc.IAsyncProperty<[Scenario]> {
  return fc.asyncProperty(scenarioArbitrary, async (scenario) => {
    fc.pre(!isBeyondHelp(scenario));
    const outcome = await play(scenario, parts);
    for (const judge of judges) await judge(outcome, scenario);
    await outcome.scene.end();
  });
}
