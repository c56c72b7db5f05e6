/**
 * Keeps `test/simulation/corpus`: a schedule for each planted bug that is broken with it and clean as shipped. One that still is both stays;
 * every other one is hunted anew. `npm run simulate:corpus [NAME…]` looks at these only.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { runSchedule } from '../../src/simulation/campaign/run.js';
import { hunt } from '../../src/simulation/campaign/sabotageHunt.js';
import { parseSchedule, SCHEDULE_VERSION, type Schedule } from '../../src/simulation/faults/schedule.js';
import { SIMULATED_SABOTAGES } from '../../src/simulation/sabotage/catalogue.js';
import type { SimulatedSabotage } from '../../src/simulation/sabotage/sabotage.js';
import { QUIET_SETUP } from '../../src/simulation/world/setup.js';

const CORPUS = 'test/simulation/corpus';
const SEEDS = 300;
const MOST_FAULTS = 3;

/** Written by an earlier version: what a world has since then is as quiet as it was. */
function brought(text: string): Schedule {
  const given: unknown = JSON.parse(text);
  if (typeof given !== 'object' || given === null || !('setup' in given) || typeof given.setup !== 'object') return parseSchedule(text);
  return parseSchedule(JSON.stringify({ ...given, version: SCHEDULE_VERSION, setup: { ...QUIET_SETUP, ...given.setup } }));
}

/** Why a schedule is not what the corpus is for; undefined: it is. */
async function unfit(schedule: Schedule, { parts, breaks }: SimulatedSabotage): Promise<string | undefined> {
  if (schedule.faults.length > MOST_FAULTS) return `it takes ${schedule.faults.length} faults`;
  const broken = await runSchedule(schedule, { parts });
  if (!broken.violations.some(({ promise }) => breaks.includes(promise))) return 'the bug does not show';
  const [violation] = (await runSchedule(schedule)).violations;
  return violation === undefined ? undefined : `as shipped it breaks ${violation.promise}: ${violation.detail}`;
}

async function fitting(file: string, sabotage: SimulatedSabotage): Promise<Schedule | undefined> {
  if (!existsSync(file)) return undefined;
  const schedule = brought(readFileSync(file, 'utf8'));
  return (await unfit(schedule, sabotage)) === undefined ? schedule : undefined;
}

async function hunted(sabotage: SimulatedSabotage): Promise<Schedule> {
  let why = 'it was not found';
  for (let seed = 1; seed < SEEDS; ) {
    const { schedule } = await hunt(sabotage, { seed, seeds: SEEDS - seed, clock: systemClock }, 1);
    if (schedule === undefined) break;
    const objection = await unfit(schedule, sabotage);
    if (objection === undefined) return schedule;
    why = objection;
    seed = schedule.seed + 1;
  }
  throw new Error(`${sabotage.name}: ${why}`);
}

function dropOthers(): void {
  const known = new Set(SIMULATED_SABOTAGES.map(({ name }) => `${name}.json`));
  for (const file of readdirSync(CORPUS)) if (!known.has(file)) rmSync(join(CORPUS, file));
}

const names = process.argv.slice(2);
let failed = 0;
dropOthers();
for (const sabotage of SIMULATED_SABOTAGES) {
  const { name } = sabotage;
  if (names.length > 0 && !names.includes(name)) continue;
  const file = join(CORPUS, `${name}.json`);
  try {
    const kept = await fitting(file, sabotage);
    const schedule = kept ?? (await hunted(sabotage));
    writeFileSync(file, `${JSON.stringify(schedule, null, 2)}\n`);
    process.stdout.write(
      `${name}: ${kept === undefined ? 'made anew' : 'kept'}, seed ${schedule.seed}, ${schedule.faults.length} faults\n`,
    );
  } catch (error) {
    failed += 1;
    process.stderr.write(`${String(error)}\n`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
