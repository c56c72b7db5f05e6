/** `failflat panic`: closes the book, over the bus or directly. */
import { ConfigurationError } from '../../errors.js';
import { brokerOptions, busOption, type Command, jsonOption } from '../command.js';
import { byOption } from '../operator.js';
import { panicDirect } from '../panicDirect.js';
import { DEFAULT_WAIT_MS, panicOnBus } from '../panicOnBus.js';
import { scaleOption } from '../roleCommand.js';

const { account, ...broker } = brokerOptions;
/** No default: a panic that names none is about every account. */
const scope = {
  type: 'text',
  value: 'NAME',
  env: account.env,
  help: 'the account to close (default: all; must be given with --direct)',
} as const;

/** Options that mean nothing without the bus, or nothing with it. */
const ONLY_WITH_BUS = ['wait', 'no-wait'];

export const panicCommand: Command = {
  name: 'panic',
  summary: 'halt trading and close the book now',
  details: [
    'The exit workers do it, and this command waits for their verdict. With --direct it closes the account from here, by the same',
    'planner, and needs no bus; it then does not halt trading, and cannot know who else has orders on the way.',
    'Exit code 0: flat (with --direct: the book is empty); 1: not flat, or not proven within the wait; 3: not certain that the panic stands.',
  ],
  handlesSignals: true,
  options: {
    ...busOption,
    reason: { type: 'text', value: 'TEXT', help: 'why; goes into the record (default: panic from a terminal)' },
    ...byOption,
    account: scope,
    wait: { type: 'duration', value: 'DURATION', min: 1, help: `how long to wait for the verdict (default ${DEFAULT_WAIT_MS / 1_000}s)` },
    'no-wait': { type: 'flag', help: 'end as soon as the panic stands on the bus' },
    direct: { type: 'flag', help: 'close from here, with no bus; needs --broker and --account' },
    ...broker,
    ...scaleOption,
    ...jsonOption,
  },
  run(values, context) {
    if (!values.flag('direct')) return panicOnBus(values, context);
    for (const name of ONLY_WITH_BUS) {
      const value = values.flag(name) || values.number(name);
      if (value !== undefined) throw new ConfigurationError(`--${name}`, value, 'must not be given with --direct');
    }
    return panicDirect(values, context);
  },
};
