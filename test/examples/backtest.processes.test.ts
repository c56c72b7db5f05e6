/** The backtest as a process: what it prints, and what it draws. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY } from '../structure/source.js';
import { TestChild } from '../support/childProcess.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

it('prints where each breaker would have tripped on the daily bars, and draws every trip', { timeout: 60_000 }, async () => {
  const directory = temporaryDirectory();
  // Nothing is there: only the bars of the data package are replayed.
  const child = new TestChild('env', [
    `MARKET_DATA=${directory}`,
    process.execPath,
    join(REPOSITORY, 'examples/backtest-breakers/main.mjs'),
    directory,
  ]);
  expect(await child.end(), child.errors).toBe(0);
  const told = child.lines.filter((line) => /^ {2}.*: (\d+ times|once|never)$/.test(line));
  const counts = told.map((line) => (line.endsWith('once') ? 1 : Number(/(\d+) times/.exec(line)?.[1] ?? 0)));
  expect(told.length).toBe(7);
  expect(child.lines).toContain('AAPL, days: 1260 bars');
  expect(told.find((line) => line.startsWith('  volatility, robust'))).toMatch(/ 2 times$/);
  const drawn = readFileSync(join(directory, 'aapl-days.svg'), 'utf8');
  expect(drawn).toMatch(/^<svg [^>]*>[^]*<\/svg>\n$/);
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
  expect(drawn.match(/<title>/g)).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
});
