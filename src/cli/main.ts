#!/usr/bin/env node
/** The command line: finds the command, runs it, and ends the process with the exit code that it earned. */
import { readFileSync } from 'node:fs';
import { BusUnsuitableError } from '../bus/bus.js';
import { systemClock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { packageFile } from '../packageFile.js';
import { environmentVariable } from '../process/environment.js';
import { EXIT_CODES, type ExitCode, failByDefault, setExitCode } from '../process/exit.js';
import { type Output, systemOutput } from '../process/output.js';
import { untilSignal } from '../process/untilSignal.js';
import type { Command } from './command.js';
import { COMMAND_NAMES, findCommand, loadCommands } from './commands.js';
import { explainField, explainPlace } from './explain.js';
import { commandHelp, generalHelp } from './help.js';
import { parseOptions, type Values } from './options.js';

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}

function refuse(output: Output, message: string, hint: string): ExitCode {
  output.err(`failflat: ${message}`);
  output.err(hint);
  return EXIT_CODES.usage;
}

/** What to say of a value of the operator's that cannot hold, if that is what was thrown. */
function wrongValue(thrown: unknown, command: Command, values: Values | undefined): string | undefined {
  if (!(thrown instanceof ConfigurationError || thrown instanceof BusUnsuitableError)) return undefined;
  if (values === undefined) return thrown.message;
  return thrown instanceof ConfigurationError ? explainField(thrown, command.options, values) : explainPlace(thrown, values);
}

async function runCommand(command: Command, args: readonly string[], output: Output): Promise<ExitCode> {
  const hint = `Try: failflat ${command.name} --help`;
  if (args.includes('--help') || args.includes('-h')) {
    output.out(commandHelp(command));
    return EXIT_CODES.ok;
  }
  const watch = command.handlesSignals === true ? untilSignal(systemClock) : undefined;
  let values: Values | undefined;
  try {
    values = parseOptions(command.options, args, command.argument);
    return await command.run(values, { output, clock: systemClock, signal: watch?.signal ?? new AbortController().signal });
  } catch (error) {
    const wrong = wrongValue(error, command, values);
    if (wrong !== undefined) return refuse(output, wrong, hint);
    output.err(`failflat ${command.name}: ${messageOf(error)}`);
    return EXIT_CODES.couldNotRun;
  } finally {
    watch?.release();
  }
}

async function main(words: readonly string[], output: Output): Promise<ExitCode> {
  const [name] = words;
  if (name === '--version' || name === '-v') {
    output.out(version());
    return EXIT_CODES.ok;
  }
  if (name === undefined) {
    output.err(generalHelp(await loadCommands()));
    return EXIT_CODES.usage;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    output.out(generalHelp(await loadCommands()));
    return EXIT_CODES.ok;
  }
  const found = await findCommand(words);
  if (found !== undefined) return runCommand(found.command, found.args, output);
  const ofGroup = COMMAND_NAMES.filter((known) => known.startsWith(`${name} `));
  const written = ofGroup.length === 0 ? name : words.slice(0, 2).join(' ');
  const { message } = new ConfigurationError(
    'command',
    written,
    `must be one of ${(ofGroup.length === 0 ? COMMAND_NAMES : ofGroup).join(', ')}`,
  );
  return refuse(output, message, 'Try: failflat --help');
}

const output = systemOutput(environmentVariable('NO_COLOR'));
const crashed = (thrown: unknown) => output.err(thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : messageOf(thrown));
failByDefault(crashed);
main(process.argv.slice(2), output).then(setExitCode, crashed);
