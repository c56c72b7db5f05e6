/** `failflat chaos storm`: faults in the calls of one process, and whether what makes them recovers. */
import { CHAOS_TYPES } from '../../chaos/inProcess/faultKinds.js';
import { DEFAULT_STORM, parseChaosTypes } from '../../chaos/storm/options.js';
import { type Command, given, jsonOption } from '../command.js';
import type { OptionTable } from '../options.js';

const options = {
  'chaos-types': {
    type: 'text',
    value: 'LIST',
    default: DEFAULT_STORM.types,
    help: `what goes wrong: any of ${CHAOS_TYPES.join(', ')}, with commas between them; each must fall at least once`,
  },
  'failure-rate': {
    type: 'number',
    value: 'SHARE',
    min: 0,
    max: 1,
    default: DEFAULT_STORM.failureRate,
    help: 'share of the calls that are hit',
  },
  seed: { type: 'integer', value: 'S', min: 0, help: 'chooses every fault (default: a new one, which the report tells)' },
  duration: { type: 'duration', value: 'DURATION', min: 1, default: DEFAULT_STORM.durationMs, help: 'how long it blows' },
  'max-injections': {
    type: 'integer',
    value: 'N',
    min: 1,
    default: DEFAULT_STORM.maxInjections,
    help: 'it ends early with so many faults',
  },
  'output-report': { type: 'text', value: 'FILE', default: DEFAULT_STORM.reportFile, help: 'where the report is written, in Markdown' },
  subject: {
    type: 'text',
    value: 'MODULE',
    help: 'a module of your own, like ./my-subject.mjs (default: a halt and a panic_close on a bus whose calls fail)',
  },
  verbose: { type: 'flag', help: 'print every injection as well' },
  ...jsonOption,
} as const satisfies OptionTable;

export const chaosStormCommand: Command = {
  name: 'chaos storm',
  summary: 'inject faults into the calls of one process, watch whether it recovers, and write a report',
  details: ['Exit code 0: it recovered within its error budget and never crashed. 1: it did not, or nothing was injected. 2: wrong usage.'],
  handlesSignals: true,
  options,
  run: async (values, { output, clock, signal }) => {
    const { storm } = await import('../../chaos/storm/command.js');
    return storm(
      {
        types: parseChaosTypes(values.text('chaos-types') ?? DEFAULT_STORM.types),
        failureRate: values.number('failure-rate') ?? DEFAULT_STORM.failureRate,
        durationMs: values.number('duration') ?? DEFAULT_STORM.durationMs,
        maxInjections: values.number('max-injections') ?? DEFAULT_STORM.maxInjections,
        reportFile: values.text('output-report') ?? DEFAULT_STORM.reportFile,
        verbose: values.flag('verbose'),
        ...given({ seed: values.number('seed'), subject: values.text('subject') }),
      },
      { output, clock, signal, json: values.flag('json') },
    );
  },
};
