/** `failflat drill`: proves on real processes that a dead exit brain ends in a flat book. */
import { DEFAULT_DRILL, FAULTS, KILLS, PARTITIONS, SIGNALS } from '../../drill/options.js';
import { type Command, given, jsonOption } from '../command.js';
import type { OptionTable, Values } from '../options.js';
import { scaleOption } from '../roleCommand.js';

const options = {
  bus: {
    type: 'text',
    value: 'URL',
    help: 'journal:DIRECTORY or a Redis URL, of which a new subdirectory or key prefix is used (default: a temporary directory)',
  },
  redis: { type: 'flag', help: 'start a Redis server of its own for the bus' },
  bars: { type: 'text', value: 'FILE.csv', help: 'price bars to replay (default: AAPL daily 2013 to 2018, with the crash of August 2015)' },
  positions: { type: 'integer', value: 'N', min: 1, max: 500, default: DEFAULT_DRILL.positions, help: 'open positions at the fault' },
  'venue-latency-ms': {
    type: 'number',
    value: 'L',
    min: 0,
    max: 1_000,
    default: DEFAULT_DRILL.venueLatencyMs,
    help: 'how long the paper venue takes for each answer',
  },
  ...scaleOption,
  kill: { type: 'text', value: KILLS.join('|'), oneOf: KILLS, default: DEFAULT_DRILL.kill, help: 'which process gets the signal' },
  signal: { type: 'text', value: SIGNALS.join('|'), oneOf: SIGNALS, default: DEFAULT_DRILL.signal, help: 'the signal' },
  fault: { type: 'text', value: 'NAME', oneOf: FAULTS, help: `another fault instead of a death: ${FAULTS.join(', ')}` },
  partition: {
    type: 'text',
    value: PARTITIONS.join('|'),
    oneOf: PARTITIONS,
    help: 'cut one process off from a Redis bus for a while, with everyone alive',
  },
  repeat: {
    type: 'integer',
    value: 'N',
    min: 1,
    max: 10_000,
    default: DEFAULT_DRILL.repeat,
    help: 'runs; timings are shown side by side, of the rest the worst',
  },
  seed: {
    type: 'integer',
    value: 'S',
    min: 0,
    default: DEFAULT_DRILL.seed,
    help: 'chooses at which moment between two heartbeats the fault falls, anew in each run',
  },
  'quiet-for': {
    type: 'duration',
    value: 'DURATION',
    min: 1,
    help: 'how long nothing may happen in a run with a quiet time (default: three thresholds)',
  },
  'no-fault': { type: 'flag', help: 'nothing happens for three thresholds, then the brain is killed' },
  sabotage: {
    type: 'text',
    value: 'NAME',
    help: 'replace one safeguard by a broken one; the check meant for it must go red (exit code 1)',
  },
  verbose: { type: 'flag', help: 'pass on to standard error what the processes log' },
  ...jsonOption,
} as const satisfies OptionTable;

function chosen(values: Values) {
  return given({
    bus: values.text('bus'),
    redis: values.flag('redis'),
    bars: values.text('bars'),
    positions: values.number('positions'),
    venueLatencyMs: values.number('venue-latency-ms'),
    scale: values.number('scale'),
    kill: KILLS.find((kill) => kill === values.text('kill')),
    signal: SIGNALS.find((signal) => signal === values.text('signal')),
    partition: PARTITIONS.find((who) => who === values.text('partition')),
    fault: FAULTS.find((fault) => fault === values.text('fault')),
    repeat: values.number('repeat'),
    seed: values.number('seed'),
    noFault: values.flag('no-fault'),
    quietForMs: values.number('quiet-for'),
    sabotage: values.text('sabotage'),
    verbose: values.flag('verbose'),
  });
}

export const drillCommand: Command = {
  name: 'drill',
  summary: 'start the real processes, kill one of them, and judge from the venue’s books whether the book ended flat',
  details: ['Exit code 0: every check passed. 1: a check went red. 2: wrong usage. 3: the rig itself failed, so there is no verdict.'],
  handlesSignals: true,
  options,
  run: async (values, { output, signal }) => {
    const { drill } = await import('../../drill/command.js');
    return drill(chosen(values), { output, signal, json: values.flag('json') });
  },
};
