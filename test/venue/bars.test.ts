/** Bar files: what is read, and how a wrong one is named. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBars, readBars } from '../../src/venue/bars.js';

const HEADER = 'open_time_ms,open,high,low,close,volume';
const AAPL = 'node_modules/@observablehq/sample-datasets/aapl.csv';
const BTC = '../shared/data/btcusdt-1m-2021-02-19_2021-02-25.csv';

function messageFor(...lines: readonly string[]): string {
  try {
    parseBars([HEADER, ...lines].join('\n'), 'x.csv');
    return 'no error';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('bars', () => {
  it('reads five years of AAPL days, with the crash of August 2015', async () => {
    const bars = await readBars(AAPL);
    expect(bars).toHaveLength(1_260);
    const crash = bars.find(({ openMs }) => openMs === Date.UTC(2015, 7, 24));
    expect(crash).toEqual({
      openMs: 1_440_374_400_000,
      open: 94.870003,
      high: 108.800003,
      low: 92,
      close: 103.120003,
      volume: 162_206_300,
    });
  });

  it.skipIf(!existsSync(BTC))(`reads a week of BTC minutes, with the crash of February 2021 (needs ${BTC})`, async () => {
    const bars = await readBars(BTC);
    expect(bars).toHaveLength(10_080);
    expect(Math.min(...bars.map(({ low }) => low))).toBe(44_892.56);
  });

  it('takes Windows line ends, a byte-order mark and a missing last line end', () => {
    expect(parseBars(`\uFEFF${HEADER}\r\n1613692800000,1,2,1,2,3`, 'x.csv')).toHaveLength(1);
  });

  it('names file, line, column, value and bound of what is wrong', () => {
    const good = '1613692800000,1,2,1,2,3';
    expect(messageFor(good, '1613692860000,1,abc,1,2,3')).toBe('x.csv, line 3, column high = "abc": must be a finite number above 0');
    expect(messageFor('1613692800000,1,2,1,0,3')).toBe('x.csv, line 2, column close = "0": must be a finite number above 0');
    expect(messageFor('1613692800000,1,2,1,2,-3')).toBe('x.csv, line 2, column volume = "-3": must be a finite number of at least 0');
    expect(messageFor('1613692800000,1,2,1,Infinity,3')).toContain('column close = "Infinity"');
    expect(messageFor('1613692800000,1,2,1,,3')).toContain('column close = ""');
    expect(messageFor('1613692800000,3,2,1,2,3')).toBe(
      'x.csv, line 2, column high = "2": must be at least 3, the highest of the other prices',
    );
    expect(messageFor('1613692800000,1,2,1.5,2,3')).toBe(
      'x.csv, line 2, column low = "1.5": must be at most 1, the lowest of the other prices',
    );
    expect(messageFor(good, good)).toBe('x.csv, line 3, column open_time_ms = "1613692800000": must be later than the line before');
    expect(messageFor('1613692800,1,2,1,2,3')).toContain('line 2, column open_time_ms = "1613692800": must be whole milliseconds');
    expect(messageFor('1613692800000,1,2')).toBe('x.csv, line 2, columns = 3: must be 6, as in the header');
    expect(messageFor(good, '')).toBe('no error');
    expect(messageFor(good, '', good)).toBe('x.csv, line 3, columns = 1: must be 6, as in the header');
    expect(messageFor()).toBe('x.csv, rows = 0: must be at least 1');
  });

  it('refuses an unknown header, a day that does not exist and a file that is not there', async () => {
    expect(() => parseBars('a,b\n1,2', 'x.csv')).toThrow('x.csv, line 1, header = "a,b": must be Date,Open');
    const day = (text: string) => parseBars(`Date,Open,High,Low,Close,Adj Close,Volume\n${text},1,1,1,1,1,1`, 'x.csv');
    expect(() => day('2015-02-30')).toThrow('x.csv, line 2, column Date = "2015-02-30": must be a day written YYYY-MM-DD');
    expect(() => day('2015-13-01')).toThrow('column Date');
    expect(day('2016-02-29')).toHaveLength(1);
    await expect(readBars('/nowhere/x.csv')).rejects.toThrow('bars = "/nowhere/x.csv": must be a readable file of price bars');
  });
});
