/** `failflat simulate`: runs the shipped classes through faults in simulated time. */
import { type Command, given, jsonOption } from '../command.js';
import type { OptionTable } from '../options.js';

const options = {
  seeds: { type: 'integer', value: 'N', min: 1, max: 10_000_000, help: 'how many seeds, one run each (default 100)' },
  minutes: { type: 'number', value: 'M', min: 0.01, max: 10_000, help: 'as many seeds as begin within so many minutes' },
  seed: { type: 'integer', value: 'S', min: 0, default: 1, help: 'the first seed: seeds S to S + N − 1 are run' },
  replay: { type: 'text', value: 'FILE', help: 'run one stored schedule and print its timeline' },
  swarm: { type: 'flag', help: 'every second seed draws from a few kinds of faults only, and more of each' },
  without: {
    type: 'text',
    value: 'LAYER',
    help: 'take a layer away: lease, kill-switch, reduce-only, order-expiry, second-worker, memory',
  },
  sabotage: { type: 'text', value: 'NAME|all', help: 'plant a bug by taking one safeguard away: it must be found within the seeds' },
  store: { type: 'text', value: 'DIRECTORY', help: 'where schedules that broke a promise are stored (default ./var/simulation)' },
  ...jsonOption,
} as const satisfies OptionTable;

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'run the shipped classes through seeded faults in simulated time, and judge them from the books of venue and bus',
  details: [
    'Two equal calls do the same. What breaks a promise is shrunk to the fewest faults, stored as a schedule and printed as a timeline.',
    'Exit code 0: no promise was broken, or every sabotage was found. 1: one was broken, or a sabotage was missed. 2: wrong usage.',
  ],
  handlesSignals: true,
  options,
  run: async (values, { output, signal }) => {
    const { simulate } = await import('../../simulation/command.js');
    const chosen = given({
      seeds: values.number('seeds'),
      minutes: values.number('minutes'),
      seed: values.number('seed'),
      replay: values.text('replay'),
      swarm: values.flag('swarm'),
      without: values.text('without'),
      sabotage: values.text('sabotage'),
      store: values.text('store'),
    });
    return simulate(chosen, { output, signal, json: values.flag('json') });
  },
};
