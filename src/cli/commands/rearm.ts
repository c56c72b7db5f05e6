/** `failflat rearm`: says what it will and will not do, then arms trading in stages. */
import { openBroker } from '../../brokers/openBroker.js';
import type { Bus } from '../../bus/bus.js';
import { printable } from '../../printable.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import { scaledTimings } from '../../roles/scale.js';
import { openIncidents, readExitRecord } from '../../tradingState/incidents.js';
import { readTradingState } from '../../tradingState/read.js';
import { prepareRearm, type RearmDeps, RearmRefusedError, rearm } from '../../tradingState/rearm.js';
import { type BookPosition, describeRearm, type RearmRequest } from '../../tradingState/rearmPlan.js';
import { parseAcknowledged } from '../acknowledge.js';
import { brokerOptions, busOption, type Command, type CommandContext, given, jsonOption } from '../command.js';
import { withOperatorBus } from '../operator.js';
import type { Values } from '../options.js';
import { scaleOption } from '../roleCommand.js';

const { account, ...broker } = brokerOptions;

/** What is uncleared at this moment. What comes later is not among it, and refuses the re-arm. */
async function allShown(bus: Bus): Promise<readonly string[]> {
  const { state } = await readTradingState(bus);
  const incidents = openIncidents(await readExitRecord(bus), state);
  return [...state.halts.map(({ id }) => id), ...incidents.map(({ incident }) => incident)];
}

/** Reads the book of each account from the venue itself. */
function bookReader(values: Values, { clock }: CommandContext): RearmDeps['readBook'] {
  const spec = values.text('broker');
  if (spec === undefined) return undefined;
  const environment = given({ environment: values.text('environment') });
  const timeoutMs = values.number('broker-timeout') ?? scaledTimings(values.number('scale')).brokerTimeoutMs;
  return async (accounts) => {
    const book: BookPosition[] = [];
    for (const name of accounts) {
      const opened = await openBroker(spec, { account: name, ...environment, timeoutMs, source: 'rearm', clock });
      try {
        for (const { symbol, quantity } of await opened.positions()) book.push({ account: name, symbol, quantity });
      } finally {
        await opened.close();
      }
    }
    return book;
  };
}

async function requestOf(bus: Bus, values: Values): Promise<RearmRequest> {
  const accounts = values.texts('account');
  const services = values.texts('service');
  return {
    by: values.required('by', 'who arms'),
    reason: values.required('reason', 'why it is safe to trade again'),
    clears: values.flag('clear-all-shown') ? await allShown(bus) : values.texts('clear'),
    acknowledged: values.texts('acknowledge').map(parseAcknowledged),
    ignoreHolders: values.texts('ignore-holder'),
    ...(accounts.length === 0 ? {} : { accounts }),
    ...(services.length === 0 ? {} : { services }),
  };
}

function depsOf(values: Values, context: CommandContext): RearmDeps {
  const scaled = scaledTimings(values.number('scale')).rearm;
  const readBook = bookReader(values, context);
  return {
    clock: context.clock,
    dwellMs: values.number('dwell') ?? scaled.dwellMs,
    observeMs: values.number('observe') ?? scaled.observeMs,
    ...(readBook === undefined ? {} : { readBook }),
  };
}

function sayRefused({ output }: CommandContext, error: RearmRefusedError): void {
  output.err(error.stage === 'plan' ? 'NOT ARMED. Nothing was changed.' : 'NOT ARMED. Trading is back to HALTED.');
  for (const reason of error.reasons) output.err(printable(`  ${reason}`));
  if (error.reasons.some((reason) => reason.endsWith('is not named')))
    output.err('Name what it clears with --clear ID, or with --clear-all-shown.');
  if (error.reasons.some((reason) => reason.startsWith('holder ')))
    output.err('A holder whose process is known to be gone is named with --ignore-holder ID.');
  if (error.reasons.some((reason) => reason.startsWith('no exit brain beats')))
    output.err('Start the exit brain, or name with --service ID what will beat.');
}

async function arm(bus: Bus, values: Values, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const json = values.flag('json');
  const request = await requestOf(bus, values);
  const deps = depsOf(values, context);
  if (values.flag('dry-run')) {
    const plan = await prepareRearm(bus, request, deps);
    output.out(json ? JSON.stringify({ armed: false, plan }) : describeRearm(plan, deps.dwellMs ?? 0));
    return plan.refusals.length === 0 ? EXIT_CODES.ok : EXIT_CODES.red;
  }
  const announce: RearmDeps['announce'] = (_plan, text) => {
    if (!json) output.out(text);
  };
  try {
    const armed = await rearm(bus, request, { ...deps, announce });
    output.out(json ? JSON.stringify({ armed: true, ...armed }) : `ARMED. Trading is ACTIVE at epoch ${armed.epoch}.`);
    return EXIT_CODES.ok;
  } catch (error) {
    if (!(error instanceof RearmRefusedError)) throw error;
    if (json) output.out(JSON.stringify({ armed: false, stage: error.stage, reasons: error.reasons }));
    else sayRefused(context, error);
    return EXIT_CODES.red;
  }
}

export const rearmCommand: Command = {
  name: 'rearm',
  summary: 'let trading begin again, in stages, after saying what that will and will not do',
  details: [
    'It names every halt that it clears. It waits in REDUCING until brain, watchdog and workers have shown progress there.',
    'Exit code 1: it was refused, or fell back to HALTED, for the reasons that are printed. Interrupted, it leaves trading REDUCING.',
  ],
  options: {
    ...busOption,
    by: { type: 'text', value: 'NAME', help: 'who arms' },
    reason: { type: 'text', value: 'TEXT', help: 'why it is safe to trade again' },
    clear: { type: 'texts', value: 'ID', help: 'a halt or an open incident that it clears; may be repeated' },
    'clear-all-shown': { type: 'flag', help: 'clear all that is uncleared at the moment of this command, as the plan lists it' },
    acknowledge: { type: 'texts', value: 'ACCOUNT:SYMBOL=QTY', help: 'an open position that is known and accepted; may be repeated' },
    account: {
      type: 'texts',
      value: 'NAME',
      env: account.env,
      help: 'an account to arm; may be repeated (default: those with a live worker)',
    },
    service: { type: 'texts', value: 'NAME', help: 'an exit brain that must beat from now on; may be repeated (default: those that beat)' },
    'ignore-holder': { type: 'texts', value: 'ID', help: 'a holder that is known to be gone although it never said so; may be repeated' },
    ...broker,
    'dry-run': { type: 'flag', help: 'print the plan and change nothing' },
    dwell: { type: 'duration', value: 'DURATION', min: 1, help: 'how long to stay REDUCING (default 5s, divided by --scale)' },
    observe: {
      type: 'duration',
      value: 'DURATION',
      min: 1,
      help: 'how long to listen for heartbeats before the plan (default 2.5s, divided by --scale)',
    },
    ...scaleOption,
    ...jsonOption,
  },
  run: (values, context) => withOperatorBus(values, context, (bus) => arm(bus, values, context)),
};
