/** The price series that the volatility breaker is measured on: one of this repository's packages, two that are kept outside of it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { defaultBarsFile } from '../../src/drill/bars.js';
import { parseBars } from '../../src/venue/bars.js';

export interface Series {
  readonly name: string;
  readonly times: readonly number[];
  readonly closes: readonly number[];
}

const LOCAL_FILE_HEADER = 0x04034b50;
const LEAN_SCALE = 10_000;

/** Where the two files are that are not part of the repository: `MARKET_DATA`, or a neighbour of the checkout. */
export function marketDataFile(name: string): string {
  return join(process.env['MARKET_DATA'] ?? join(process.cwd(), '..', 'shared', 'data'), name);
}

/** The first file of a ZIP archive. */
function firstEntry(archive: Buffer): Buffer {
  if (archive.readUInt32LE(0) !== LOCAL_FILE_HEADER) throw new Error('not a ZIP archive');
  const size = archive.readUInt32LE(18);
  const from = 30 + archive.readUInt16LE(26) + archive.readUInt16LE(28);
  return inflateRawSync(size === 0 ? archive.subarray(from) : archive.subarray(from, from + size));
}

function fromBars(name: string, file: string): Series {
  const bars = parseBars(readFileSync(file, 'utf8'), file);
  return { name, times: bars.map(({ openMs }) => openMs), closes: bars.map(({ close }) => close) };
}

export function aaplDaily(): Series {
  return fromBars('AAPL, days', defaultBarsFile());
}

/** BTC/USDT, minutes, with the crash of 22 February 2021. Undefined where the file is not. */
export function btcMinutes(): Series | undefined {
  const file = marketDataFile('btcusdt-1m-2021-02-19_2021-02-25.csv');
  return existsSync(file) ? fromBars('BTC/USDT, minutes', file) : undefined;
}

/** SPY, seconds of 10 October 2013 by the time in New York, with three prints that are plainly wrong. Undefined where the file is not. */
export function spySeconds(): Series | undefined {
  const file = marketDataFile('lean-spy-second-20131010_trade.zip');
  if (!existsSync(file)) return undefined;
  const rows = firstEntry(readFileSync(file)).toString('utf8').trim().split(/\r?\n/);
  const cells = rows.map((row) => row.split(',').map(Number));
  const at = (column: number, scale: number) => cells.map((row) => (row[column] ?? Number.NaN) / scale);
  return { name: 'SPY, seconds', times: at(0, 1), closes: at(4, LEAN_SCALE) };
}
