/** Runs one benchmark by name, prints its budget table and keeps it under `benchmarks/results`. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BudgetRow } from './budget.js';

/** What each benchmark file exports. */
interface Benchmark {
  run(): Promise<readonly BudgetRow[]>;
}

const NOT_BENCHMARKS = new Set(['main', 'budget', 'stage']);
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

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

function cellsOf(row: BudgetRow): string[] {
  const peers = Object.entries(row.peers).map(([name, value]) => `${name} ${figure(value)}`);
  return [
    row.within ? 'within' : 'OVER',
    row.budget,
    figure(row.ratio),
    figure(row.limit),
    row.rounds.map(figure).join(' '),
    peers.join(', '),
  ];
}

function print(rows: readonly BudgetRow[]): void {
  const table = [['', 'budget', 'median', 'limit', 'rounds', 'peers'], ...rows.map(cellsOf)];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? [];
  for (const cells of table)
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

async function main(name: string | undefined): Promise<number> {
  const names = knownNames();
  if (name === undefined || !names.includes(name)) {
    console.error(`benchmark = ${name === undefined ? 'nothing' : JSON.stringify(name)}: must be one of ${names.join(', ')}`);
    return 2;
  }
  const module: unknown = await import(pathToFileURL(join(import.meta.dirname, `${name}.js`)).href);
  if (!isBenchmark(module)) throw new Error(`benchmarks/${name}.ts must export run()`);
  const rows = await module.run();
  if (rows.length === 0) throw new Error(`benchmarks/${name}.ts measured nothing`);
  print(rows);
  mkdirSync(RESULTS_DIRECTORY, { recursive: true });
  writeFileSync(join(RESULTS_DIRECTORY, `${name}.json`), `${JSON.stringify(rows, undefined, 2)}\n`);
  return rows.every((row) => row.within) ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);
