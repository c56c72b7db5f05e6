// Replays real bars and shows where each breaker would have tripped: as a list, and as a picture for each series.
//
//   node examples/backtest-breakers/main.mjs [directory for the pictures]
//
// Minute and second bars are read from MARKET_DATA, where that is set; Apple's daily bars come with the development install.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSeries } from './bars.mjs';
import { drawing } from './drawing.mjs';
import { tried, tripsOf } from './replay.mjs';

const [, , directory = 'var/backtest'] = process.argv;
const data = process.env.MARKET_DATA ?? join('..', 'shared', 'data');
const timesOf = ({ length }) => ['never', 'once'][length] ?? `${length} times`;
/** The picture has them all. */
const PRINTED = 5;

mkdirSync(directory, { recursive: true });
for (const series of allSeries(data)) {
  console.log(`\n${series.name}: ${series.bars.length} bars`);
  const lanes = [];
  for (const { name, config } of tried(series)) {
    const trips = await tripsOf(series, config);
    lanes.push({ name, trips });
    console.log(`  ${name}: ${timesOf(trips)}`);
    for (const { openMs, reasonCode, message } of trips.slice(0, PRINTED))
      console.log(`    ${new Date(openMs).toISOString()} ${reasonCode}: ${message}`);
    if (trips.length > PRINTED) console.log(`    … and ${trips.length - PRINTED} more`);
  }
  const file = join(directory, `${series.file}.svg`);
  writeFileSync(file, drawing(series, lanes));
  console.log(`  drawn as ${file}`);
}
