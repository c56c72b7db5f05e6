/** Runs the built `failflat drill --json` as a user's CI would, and reads its one document. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Fault } from '../../src/drill/options.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Fast enough for CI, slow enough for a busy machine of two cores. */
export const SCALE = 5;

/**
 * How fast the book empties is measured by `npm run drill:long`, where nothing else runs. Here two drills share a machine, so a
 * check of speed must have its evidence but not its figure; every other check must pass.
 */
export const SPEED_OF_THE_EXIT = ['L2', 'L2.flat', 'L6'];

/** A panic has to grow a minute old, divided by the scale. */
export const OLD_PANIC_SCALE = 8;

export interface DrillCheck {
  readonly id: string;
  readonly name: string;
  readonly passed: boolean;
  readonly evidence: string;
  readonly related: boolean;
}

export interface DrillDocument {
  readonly verdict: 'pass' | 'fail' | 'error';
  readonly seed: number;
  readonly bus: string;
  readonly checks: readonly DrillCheck[];
  readonly timings: Readonly<Record<string, readonly number[]>>;
  readonly positionsAtKill: number;
  readonly positionsAfter: number;
  readonly openOrdersAfter: number;
  readonly tradingState: string;
  readonly flatVerdict: string;
  readonly panics: number;
  readonly incidents: number;
  readonly ordersAttemptedAfterHalt: number;
  readonly ordersAfterHalt: number;
  readonly exposureIncreasedByExit: number;
  readonly closedTwice: number;
  readonly sabotage?: { readonly name: string; readonly caught: boolean; readonly unrelatedRed: readonly string[] };
  readonly error?: string;
}

export interface DrillRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly document: DrillDocument;
}

/** `DRILL_ON_REDIS` runs every drill that names no bus on a Redis server of its own. */
const ELSEWHERE = process.env['DRILL_ON_REDIS'] === undefined ? [] : ['--redis'];

export async function runDrill(...args: readonly string[]): Promise<DrillRun> {
  const scale = args.includes('--scale') ? [] : ['--scale', String(SCALE)];
  const bus = args.some((arg) => ['--bus', '--redis', '--partition'].includes(arg)) ? [] : ELSEWHERE;
  const child = spawn(process.execPath, [COMMAND, 'drill', '--json', ...scale, ...bus, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const document = JSON.parse(stdout === '' ? '{}' : stdout) as DrillDocument;
  return { code, stdout, stderr, document };
}

export function runFault(fault: Fault): Promise<DrillRun> {
  return runDrill('--fault', fault, ...(fault === 'old-panic' ? ['--scale', String(OLD_PANIC_SCALE)] : []));
}

/** What to show of a run that did not go as it should. */
export function shown({ document, stderr }: DrillRun): string {
  const red = (document.checks ?? []).filter((check) => !check.passed).map((check) => `${check.id}: ${check.evidence}`);
  return [document.error ?? '', ...red, stderr].filter((line) => line !== '').join('\n');
}
