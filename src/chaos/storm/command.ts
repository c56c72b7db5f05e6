/** `failflat chaos storm` behind its options: blows the storm, prints the report and writes it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../clock.js';
import { ConfigurationError, messageOf } from '../../errors.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import type { Output } from '../../process/output.js';
import { chaosReport, INJECTION_DETAILS } from '../inProcess/report.js';
import { haltAndPanic } from './haltAndPanic.js';
import type { StormOptions } from './options.js';
import { runStorm } from './run.js';
import { loadSubject } from './subject.js';

export interface StormContext {
  readonly output: Output;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly json: boolean;
}

export async function storm(options: StormOptions, { output, clock, signal, json }: StormContext): Promise<ExitCode> {
  const subject = options.subject === undefined ? haltAndPanic(clock) : await loadSubject(options.subject);
  // Before the storm: a report that cannot be written is better known now than then.
  await prepare(options.reportFile);
  if (!json) output.out(`A storm at ${subject.name}, for ${options.durationMs / 1_000} s at most …`);
  const result = await runStorm(subject, options, { clock, signal });
  const report = chaosReport(result, { subject: subject.name, again: againAs(options, result.seed) });
  await writeFile(options.reportFile, report);
  if (json) output.out(JSON.stringify({ ...result, subject: subject.name, report: options.reportFile }));
  else output.out(`${options.verbose ? report : (report.split(INJECTION_DETAILS)[0] ?? report)}\nReport: ${options.reportFile}`);
  if (signal.aborted) {
    output.err('Interrupted: no verdict.');
    return EXIT_CODES.couldNotRun;
  }
  return result.verdict === 'passed' ? EXIT_CODES.ok : EXIT_CODES.red;
}

async function prepare(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
  } catch (error) {
    throw new ConfigurationError('outputReport', file, `must be a file that can be written: ${messageOf(error)}`);
  }
}

function againAs({ types, failureRate, durationMs, maxInjections, reportFile, subject }: StormOptions, seed: number | string): string {
  const parts = [
    `--chaos-types ${types.join(',')}`,
    `--failure-rate ${failureRate}`,
    `--seed ${seed}`,
    `--duration ${durationMs}ms`,
    `--max-injections ${maxInjections}`,
    `--output-report ${reportFile}`,
    ...(subject === undefined ? [] : [`--subject ${subject}`]),
  ];
  return `failflat chaos storm ${parts.join(' ')}`;
}
