/** How fast whole runs of the simulation are, and how soon planted bugs are found and shrunk. */
import { systemClock } from '../src/clock.js';
import { runCampaign, scheduleFor } from '../src/simulation/campaign/campaign.js';
import { hunt } from '../src/simulation/campaign/sabotageHunt.js';
import { SIMULATED_SABOTAGES } from '../src/simulation/sabotage/catalogue.js';
import { type BudgetRow, budgetRow } from './budget.js';

const ROUNDS = 3;
const SEEDS_PER_ROUND = 60;
const SEEDS_PER_HUNT = 300;
/** Twenty milliseconds a seed are fifty seeds a second. */
const SEED_LIMIT_MS = 20;
/** As many simulated seconds a second as ten thousand. */
const SIMULATED_SECOND_LIMIT_MS = 0.1;

interface Round {
  readonly seedMs: number;
  readonly simulatedSecondMs: number;
}

async function round(number: number, pace: number | undefined): Promise<Round> {
  const setup = pace === undefined ? {} : { pace };
  const options = { seed: 1 + number * SEEDS_PER_ROUND, seeds: SEEDS_PER_ROUND, setup, clock: systemClock };
  const { tookMs, seeds, simulatedMs, violations } = await runCampaign(options);
  if (violations.length > 0) throw new Error(`a campaign broke ${violations[0]?.violation.promise}: no figure of it counts`);
  return { seedMs: tookMs / seeds, simulatedSecondMs: tookMs / (simulatedMs / 1_000) };
}

async function speed(name: string, pace?: number): Promise<readonly BudgetRow[]> {
  const rounds: Round[] = [];
  // The first one warms the code.
  await round(ROUNDS, pace);
  for (let number = 0; number < ROUNDS; number += 1) rounds.push(await round(number, pace));
  return [
    budgetRow(
      `one seed of ${scheduleFor(1, {}).endMs / 1_000} simulated seconds, ${name}, ms`,
      SEED_LIMIT_MS,
      rounds.map(({ seedMs }) => seedMs),
    ),
    budgetRow(
      `one simulated second, ${name}, ms`,
      SIMULATED_SECOND_LIMIT_MS,
      rounds.map(({ simulatedSecondMs }) => simulatedSecondMs),
    ),
  ];
}

export async function run(): Promise<readonly BudgetRow[]> {
  const rows = [...(await speed('as a campaign draws them')), ...(await speed('default beats', 1))];
  for (const sabotage of SIMULATED_SABOTAGES) {
    const { medianSeeds = Number.NaN, focus } = await hunt(sabotage, { seed: 1, seeds: SEEDS_PER_HUNT, clock: systemClock });
    const where = focus === undefined ? '' : `, on schedules of "${focus}"`;
    rows.push(budgetRow(`${sabotage.name}: seeds until it is found${where}`, SEEDS_PER_HUNT, [medianSeeds]));
  }
  return rows;
}
