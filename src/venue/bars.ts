/** Reads a CSV of price bars strictly: a wrong cell is named by file, line, column, value and bound. */
import { readFile } from 'node:fs/promises';
import { ConfigurationError, messageOf } from '../errors.js';

export interface Bar {
  /** Start of the bar, Unix epoch. */
  readonly openMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** What a venue without a bar file trades on: one bar that never moves. */
export const FLAT_BARS: readonly Bar[] = [{ openMs: 0, open: 100, high: 100, low: 100, close: 100, volume: 0 }];

const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;
const NUMBER_PATTERN = /^\d+(\.\d+)?$/;

interface Layout {
  readonly columns: readonly string[];
  readonly time: string;
  readonly parseTime: (text: string) => number | undefined;
  readonly timeBound: string;
  readonly prices: readonly [open: string, high: string, low: string, close: string];
  readonly volume: string;
}

function parseDay(text: string): number | undefined {
  if (!DAY_PATTERN.test(text)) return undefined;
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const monthEndMs = Date.UTC(year, month, 0);
  const openMs = Date.UTC(year, month - 1, day);
  // Date.UTC rolls a 30 February over into March.
  return month >= 1 && month <= 12 && day >= 1 && openMs <= monthEndMs ? openMs : undefined;
}

function parseEpoch(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const openMs = Number(text);
  // Seconds read as milliseconds would put every bar into January 1970.
  return openMs >= 100_000_000_000 && openMs <= 10_000_000_000_000 ? openMs : undefined;
}

const LAYOUTS: readonly Layout[] = [
  {
    columns: ['Date', 'Open', 'High', 'Low', 'Close', 'Adj Close', 'Volume'],
    time: 'Date',
    parseTime: parseDay,
    timeBound: 'must be a day written YYYY-MM-DD',
    prices: ['Open', 'High', 'Low', 'Close'],
    volume: 'Volume',
  },
  {
    columns: ['open_time_ms', 'open', 'high', 'low', 'close', 'volume'],
    time: 'open_time_ms',
    parseTime: parseEpoch,
    timeBound: 'must be whole milliseconds since 1970, between 100000000000 and 10000000000000',
    prices: ['open', 'high', 'low', 'close'],
    volume: 'volume',
  },
];

interface Row {
  readonly file: string;
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
}

function wrong(row: Row, column: string, bound: string): ConfigurationError {
  return new ConfigurationError(`${row.file}, line ${row.line}, column ${column}`, row.cells.get(column) ?? '', bound);
}

function numberIn(row: Row, column: string, positive: boolean): number {
  const text = row.cells.get(column) ?? '';
  const value = NUMBER_PATTERN.test(text) ? Number(text) : Number.NaN;
  const bound = positive ? 'must be a finite number above 0' : 'must be a finite number of at least 0';
  if (!Number.isFinite(value) || (positive && value === 0)) throw wrong(row, column, bound);
  return value;
}

function barOf(row: Row, layout: Layout, previousMs: number): Bar {
  const openMs = layout.parseTime(row.cells.get(layout.time) ?? '');
  if (openMs === undefined) throw wrong(row, layout.time, layout.timeBound);
  if (openMs <= previousMs) throw wrong(row, layout.time, 'must be later than the line before');
  const [openName, highName, lowName, closeName] = layout.prices;
  const open = numberIn(row, openName, true);
  const high = numberIn(row, highName, true);
  const low = numberIn(row, lowName, true);
  const close = numberIn(row, closeName, true);
  if (high < Math.max(open, low, close))
    throw wrong(row, highName, `must be at least ${Math.max(open, low, close)}, the highest of the other prices`);
  if (low > Math.min(open, close)) throw wrong(row, lowName, `must be at most ${Math.min(open, close)}, the lowest of the other prices`);
  return { openMs, open, high, low, close, volume: numberIn(row, layout.volume, false) };
}

function layoutOf(file: string, header: string): Layout {
  const layout = LAYOUTS.find(({ columns }) => columns.join(',') === header);
  if (layout !== undefined) return layout;
  const allowed = LAYOUTS.map(({ columns }) => columns.join(',')).join(' or ');
  throw new ConfigurationError(`${file}, line 1, header`, header, `must be ${allowed}`);
}

/** Throws a ConfigurationError at the first wrong cell. `file` is only a name for the message. */
export function parseBars(text: string, file: string): readonly Bar[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const layout = layoutOf(file, lines[0] ?? '');
  const bars: Bar[] = [];
  for (const [offset, content] of lines.slice(1).entries()) {
    const line = offset + 2;
    const texts = content.split(',');
    if (texts.length !== layout.columns.length) {
      throw new ConfigurationError(`${file}, line ${line}, columns`, texts.length, `must be ${layout.columns.length}, as in the header`);
    }
    const row: Row = { file, line, cells: new Map(layout.columns.map((column, index) => [column, texts[index] ?? ''])) };
    bars.push(barOf(row, layout, bars.at(-1)?.openMs ?? -Infinity));
  }
  if (bars.length === 0) throw new ConfigurationError(`${file}, rows`, 0, 'must be at least 1');
  return bars;
}

/** Throws a ConfigurationError naming `bars` where the file cannot be read, and as {@link parseBars} does. */
export async function readBars(file: string): Promise<readonly Bar[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError('bars', file, `must be a readable file of price bars (${messageOf(error)})`);
  }
  return parseBars(text, file);
}
