/** Prints how often the volatility breaker trips per 10,000 bars, as the table of docs/breakers.md. */
import { rateTable } from './rates.js';
import { aaplDaily, btcMinutes, marketDataFile, spySeconds } from './series.js';

const series = [btcMinutes(), spySeconds(), aaplDaily()].filter((one) => one !== undefined);
if (series.length < 3) console.error(`some series are missing: looked for ${marketDataFile('')}`);
const rows = [
  ['estimator', 'threshold', ...series.map(({ name }) => name)],
  ['---', '---', ...series.map(() => '---')],
  ...rateTable(series),
];
for (const cells of rows) console.log(`| ${cells.join(' | ')} |`);
