// The bars that are replayed: two files that are kept outside of this repository, where they are, and Apple's daily bars from a data package.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Rows of a CSV under the names of its first line. */
function rowsOf(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/);
  const names = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, column) => [names[column], cell])));
}

const barOf = (openMs, open, high, low, close) => ({
  openMs,
  open: Number(open),
  high: Number(high),
  low: Number(low),
  close: Number(close),
});

function bitcoin(directory) {
  const rows = rowsOf(readFileSync(join(directory, 'btcusdt-1m-2021-02-19_2021-02-25.csv'), 'utf8'));
  const bars = rows.map(({ open_time_ms, open, high, low, close }) => barOf(Number(open_time_ms), open, high, low, close));
  return { name: 'BTC/USDT, minutes', file: 'btc-minutes', intervalMs: MINUTE_MS, maxMissingBars: 2, bars };
}

/** One file in a ZIP archive; times are since midnight in New York, prices in hundredths of a cent. */
function spy(directory) {
  const archive = readFileSync(join(directory, 'lean-spy-second-20131010_trade.zip'));
  const text = inflateRawSync(archive.subarray(30 + archive.readUInt16LE(26) + archive.readUInt16LE(28))).toString('utf8');
  const midnightMs = Date.UTC(2013, 9, 10, 4);
  const bars = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',').map(Number))
    .map(([sinceMs, ...prices]) => barOf(midnightMs + sinceMs, ...prices.map((price) => price / 10_000)));
  return { name: 'SPY, seconds', file: 'spy-seconds', intervalMs: 1_000, maxMissingBars: 60, bars };
}

function apple() {
  const file = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv');
  const rows = rowsOf(readFileSync(file, 'utf8'));
  const bars = rows.map(({ Date: day, Open, High, Low, Close }) => barOf(Date.parse(day), Open, High, Low, Close));
  // A weekend, and a holiday beside it.
  return { name: 'AAPL, days', file: 'aapl-days', intervalMs: DAY_MS, maxMissingBars: 4, bars };
}

/** All series that are here. */
export function allSeries(directory) {
  const isHere = ['btcusdt-1m-2021-02-19_2021-02-25.csv', 'lean-spy-second-20131010_trade.zip'].every((file) =>
    existsSync(join(directory, file)),
  );
  if (!isHere) console.log(`no minute and second bars in ${directory}: only the daily ones are replayed`);
  return [...(isHere ? [bitcoin(directory), spy(directory)] : []), apple()];
}
