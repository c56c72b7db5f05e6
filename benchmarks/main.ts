/** Runs one benchmark by name, prints its budget table and keeps it under `benchmarks/results`. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.js';
import type { BudgetRow } from './budget.js';
import { BENCH_OPTIONS, type BenchRequest } from './parts/options.js';

/** What each benchmark file exports. */
interface Benchmark {
  run(request: BenchRequest): Promise<readonly BudgetRow[]>;
  /** Watches one load for so long instead. */
  runFor?(minutes: number): Promise<readonly BudgetRow[]>;
  /** Takes its usual figures in so many rounds. */
  runRounds?(rounds: number): Promise<readonly BudgetRow[]>;
}

const NOT_BENCHMARKS = new Set(['main', 'budget']);
const RESULTS_DIRECTORY = join('benchmarks', 'results');

function knownNames(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .filter((name) => !NOT_BENCHMARKS.has(name))
    .toSorted();
}

function isBenchmark(module: unknown): module is Benchmark {
  return typeof module === 'object' && module !== null && 'run' in module && typeof module.run === 'function';
}

const figure = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en-US');

function cellsOf(row: BudgetRow): string[] {
  const peers = Object.entries(row.peers).map(([name, value]) => `${name} ${figure(value)}`);
  const range = `${figure(Math.min(...row.rounds))} to ${figure(Math.max(...row.rounds))}`;
  return [row.budget, figure(row.ratio), figure(row.limit), row.within ? 'yes' : 'no', range, peers.join(', ')];
}

/** As it stands in the documents. */
function print(rows: readonly BudgetRow[]): void {
  const table = [['budget', 'median', 'limit', 'within', 'range', 'beside it'], ...rows.map(cellsOf)];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const lines = table.map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  console.log([lines[0], rule, ...lines.slice(1)].join('\n'));
}

class UsageError extends Error {}

interface Arguments {
  readonly name: string;
  readonly minutes: number | undefined;
  readonly rounds: number | undefined;
  readonly request: BenchRequest;
}

function numberAbove0(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new UsageError(`--${name} = ${JSON.stringify(text)}: must be a number above 0`);
  return value;
}

function argumentsOf(args: string[]): Arguments {
  const { values, positionals } = parse(args);
  const [name, ...others] = positionals;
  const names = knownNames();
  if (name === undefined || !names.includes(name) || others.length > 0)
    throw new UsageError(`benchmark = ${JSON.stringify(positionals.join(' '))}: must be one of ${names.join(', ')}`);
  const minutes = numberAbove0('minutes', values.minutes);
  const rounds = numberAbove0('rounds', values.rounds);
  if (rounds !== undefined && !Number.isInteger(rounds)) throw new UsageError(`--rounds = ${rounds}: must be a whole number`);
  if (rounds !== undefined && minutes !== undefined) throw new UsageError('--rounds and --minutes: give one of them');
  const failovers = numberAbove0('failovers', values.failovers);
  return { name, minutes, rounds, request: failovers === undefined ? {} : { failovers } };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: BENCH_OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

/** What is measured, and the name of the file that keeps it: figures taken otherwise do not take the place of the usual ones. */
async function measure(args: string[]): Promise<{ readonly rows: readonly BudgetRow[]; readonly file?: string }> {
  const { name, minutes, rounds, request } = argumentsOf(args);
  const module: unknown = await import(pathToFileURL(join(import.meta.dirname, `${name}.js`)).href);
  if (!isBenchmark(module)) throw new Error(`benchmarks/${name}.ts must export run()`);
  if (rounds !== undefined) {
    if (module.runRounds === undefined) throw new UsageError(`--rounds: ${name} takes its figures in all of its rounds only`);
    return { rows: await module.runRounds(rounds) };
  }
  if (minutes === undefined) return { rows: await module.run(request), file: `${name}.json` };
  if (module.runFor === undefined) throw new UsageError(`--minutes: ${name} does not watch anything for a time that is given`);
  return { rows: await module.runFor(minutes), file: `${name}-${minutes}-minutes.json` };
}

async function main(args: string[]): Promise<number> {
  const { rows, file } = await measure(args);
  if (rows.length === 0) throw new Error('nothing was measured');
  print(rows);
  if (file !== undefined) {
    mkdirSync(RESULTS_DIRECTORY, { recursive: true });
    writeFileSync(join(RESULTS_DIRECTORY, file), `${JSON.stringify(rows, undefined, 2)}\n`);
  }
  return rows.every((row) => row.within) ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
