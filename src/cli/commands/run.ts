/** `failflat run`: a bot, or a whole set of services, under a supervisor that sees each of them die at once. */
import { openBroker } from '../../brokers/openBroker.js';
import { ConfigurationError } from '../../errors.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import { createLog } from '../../process/log.js';
import { withBroker, withBus } from '../../roles/role.js';
import { SUPERVISOR_DEFAULTS } from '../../supervisor/options.js';
import { checkService, readServices, SERVICE_KINDS, type Service } from '../../supervisor/service.js';
import { brokerOptions, busOption, type Command, type CommandContext, given, jsonOption } from '../command.js';
import type { OptionTable, Values } from '../options.js';
import { sharedBus } from '../roleCommand.js';

const { account, ...broker } = brokerOptions;

const options = {
  ...busOption,
  ...broker,
  account: {
    type: 'text',
    value: 'NAME',
    env: account.env,
    help: 'the account that a panic is about (default: every one); must be given with --broker',
  },
  kind: { type: 'text', value: SERVICE_KINDS.join('|'), oneOf: SERVICE_KINDS, default: 'bot', help: 'what the command behind -- is' },
  services: { type: 'text', value: 'FILE', help: 'a JSON list of { name, kind, command } to supervise, instead of one command' },
  'max-restarts': {
    type: 'integer',
    value: 'N',
    min: 0,
    max: 1_000,
    default: SUPERVISOR_DEFAULTS.maxRestarts,
    help: 'of one service, before it is given up and the book is closed',
  },
  within: { type: 'duration', value: 'DURATION', min: 1, default: SUPERVISOR_DEFAULTS.windowMs, help: 'in which so many are allowed' },
  settle: {
    type: 'duration',
    value: 'DURATION',
    min: 0,
    default: SUPERVISOR_DEFAULTS.settleMs,
    help: 'how long the book of a dead bot must stay empty before it is started again',
  },
  'end-within': {
    type: 'duration',
    value: 'DURATION',
    min: 1,
    default: SUPERVISOR_DEFAULTS.endWithinMs,
    help: 'how long a service may take to end in order',
  },
  ...jsonOption,
} as const satisfies OptionTable;

export const runSupervisedCommand: Command = {
  name: 'run',
  summary: 'supervise a bot: when it dies with positions open or unknown the book is closed at once, proven flat it is started again',
  details: [
    'failflat run --broker paper:URL --account NAME -- node bot.js. Without --broker nobody knows the book, so that each death is a panic.',
    'An exit brain counts like a bot. Watchdogs, exit workers and others are started again, side by side, until the limit is passed.',
    'Exit code 0: ended as asked, nobody given up. 1: a service was given up.',
  ],
  handlesSignals: true,
  argument: { name: 'command', value: '-- COMMAND', isRest: true },
  options,
  run: superviseThem,
};

async function servicesFrom(values: Values): Promise<readonly Service[]> {
  const command = values.texts('command');
  const file = values.text('services');
  if (command.length > 0 === (file !== undefined))
    throw new ConfigurationError('command', command, 'must be given behind --, or else --services');
  return file === undefined ? [checkService('service', { kind: values.text('kind'), command })] : readServices(file);
}

async function superviseThem(values: Values, { output, clock, signal }: CommandContext): Promise<ExitCode> {
  const services = await servicesFrom(values);
  const spec = values.text('broker');
  const named = values.text('account');
  if (spec !== undefined && named === undefined) throw new ConfigurationError('--account', undefined, 'must be given with --broker');
  const [{ supervise }, logger] = await Promise.all([
    import('../../supervisor/supervisor.js'),
    createLog({ level: 'warn', name: 'supervisor' }),
  ]);
  const json = values.flag('json');
  const onEvent = (text: string) => output.err(json ? JSON.stringify({ supervisor: text }) : `failflat run: ${text}`);
  let end: Awaited<ReturnType<typeof supervise>> | undefined;
  await withBus(sharedBus(values), { clock, logger }, async (bus) => {
    const limits = given({
      account: named,
      maxRestarts: values.number('max-restarts'),
      windowMs: values.number('within'),
      settleMs: values.number('settle'),
      endWithinMs: values.number('end-within'),
    });
    const begin = { services, bus, clock, logger, onEvent, ...limits };
    if (spec === undefined || named === undefined) {
      end = await supervise(begin, signal);
      return;
    }
    const venue = await openBroker(spec, {
      account: named,
      clock,
      source: 'supervisor',
      ...given({ environment: values.text('environment'), timeoutMs: values.number('broker-timeout') }),
    });
    await withBroker(venue, logger, async () => {
      end = await supervise({ ...begin, broker: venue }, signal);
    });
  });
  if (json) output.out(JSON.stringify(end));
  return end?.givenUp.length === 0 ? EXIT_CODES.ok : EXIT_CODES.red;
}
