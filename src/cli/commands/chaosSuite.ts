/** `failflat chaos suite`: scenarios as data, composed of real faults, played as one campaign. */
import { SHIPPED_SUITES } from '../../chaos/suite/shipped.js';
import { type Command, given } from '../command.js';
import type { OptionTable } from '../options.js';
import { campaignFrom, campaignOptions } from './chaosRun.js';

const options = {
  only: { type: 'text', value: 'IDS', help: 'play these scenarios of it alone, with commas between their ids' },
  ...campaignOptions,
} as const satisfies OptionTable;

export const chaosSuiteCommand: Command = {
  name: 'chaos suite',
  summary: 'play a suite of composed faults: one that is shipped, or a JSON file of your own',
  details: [
    `Suites: ${SHIPPED_SUITES.join(', ')}, or a file as schemas/chaos_suite.schema.json describes it.`,
    'Exit code 0: passed. 1: red on evidence. 2: wrong usage. 3: not run here, or too little of a fault to prove anything.',
  ],
  handlesSignals: true,
  argument: { name: 'suite', value: 'SUITE' },
  options,
  run: async (values, { output, clock, signal }) => {
    const { chaosSuite } = await import('../../chaos/suite/command.js');
    return chaosSuite(
      values.required('suite', `one of ${SHIPPED_SUITES.join(', ')}, or a JSON file`),
      { ...campaignFrom(values), ...given({ only: values.text('only') }) },
      { output, clock, signal, json: values.flag('json') },
    );
  },
};
