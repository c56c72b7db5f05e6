/** `failflat chaos run`: one real fault in real processes, and what became of trading. */
import { type ChaosRunOptions, DEFAULT_CHAOS_RUN } from '../../chaos/run/options.js';
import { SCENARIO_NAMES } from '../../chaos/run/scenarios/catalogue.js';
import { type Command, given, jsonOption } from '../command.js';
import type { OptionTable, Values } from '../options.js';
import { scaleOption } from '../roleCommand.js';

/** What every campaign of real faults can be told. */
export const campaignOptions = {
  bus: {
    type: 'text',
    value: 'URL',
    help: 'journal:DIRECTORY or a Redis URL, of which a new subdirectory or key prefix is used (default: a bus of its own)',
  },
  redis: { type: 'flag', help: 'start a Redis server for the bus, where the scenario can happen on one' },
  ...scaleOption,
  positions: { type: 'integer', value: 'N', min: 1, max: 500, default: DEFAULT_CHAOS_RUN.positions, help: 'open positions at the fault' },
  seed: {
    type: 'integer',
    value: 'S',
    min: 0,
    default: DEFAULT_CHAOS_RUN.seed,
    help: 'chooses at which moment between two heartbeats the fault falls',
  },
  'output-dir': {
    type: 'text',
    value: 'DIRECTORY',
    default: DEFAULT_CHAOS_RUN.outputDirectory,
    help: 'where the folder with the reports is made',
  },
  'dump-every': {
    type: 'duration',
    value: 'DURATION',
    default: DEFAULT_CHAOS_RUN.dumpEveryMs,
    help: 'between two dumps of the control plane in the report, and two samples of the resources; at least 500ms',
  },
  sabotage: {
    type: 'text',
    value: 'NAME',
    help: 'replace one safeguard by a broken one, as in a drill, or `own` for the one that the scenario is meant to miss; the run must go red (exit code 1)',
  },
  verbose: { type: 'flag', help: 'pass on to standard error what the processes log' },
  ...jsonOption,
} as const satisfies OptionTable;

/** Those of them that were given. */
export function campaignFrom(values: Values): Partial<ChaosRunOptions> {
  return given({
    bus: values.text('bus'),
    redis: values.flag('redis'),
    scale: values.number('scale'),
    positions: values.number('positions'),
    seed: values.number('seed'),
    outputDirectory: values.text('output-dir'),
    dumpEveryMs: values.number('dump-every'),
    sabotage: values.text('sabotage'),
    verbose: values.flag('verbose'),
  });
}

export const chaosRunCommand: Command = {
  name: 'chaos run',
  summary: 'inject real faults into real processes under a load of guarded orders, and judge how the system failed and came back',
  details: [
    `Scenarios: ${SCENARIO_NAMES.join(', ')}. Several with commas between, or all, are one campaign.`,
    'Exit code 0: passed. 1: red on evidence. 2: wrong usage. 3: not run here, or too little of the fault to prove anything.',
  ],
  handlesSignals: true,
  argument: { name: 'scenario', value: 'SCENARIO' },
  options: campaignOptions,
  run: async (values, { output, clock, signal }) => {
    const { chaosRun } = await import('../../chaos/run/command.js');
    return chaosRun(values.required('scenario', `one of ${SCENARIO_NAMES.join(', ')}`), campaignFrom(values), {
      output,
      clock,
      signal,
      json: values.flag('json'),
    });
  },
};
