/** `failflat exit-worker`: closes the book when it is asked to. */
import { BUS_LOST_POLICIES } from '../../emergencyExit/options.js';
import { brokerOptions, busOption, type Command, given, jsonOption } from '../command.js';
import { alertConfig, alertOptions, logOption, memoryOption, runRole, scaleOption, sharedBus } from '../roleCommand.js';

export const exitWorkerCommand: Command = {
  name: 'exit-worker',
  summary: 'wait for a panic, then halt trading and close the book of one account',
  details: ['Run at least one for each account, as a process of its own. Two or more, each with its own --id, take over from each other.'],
  handlesSignals: true,
  options: {
    ...busOption,
    ...brokerOptions,
    id: { type: 'text', value: 'NAME', help: 'tells several workers apart (default: exit-worker, the account and the name of this host)' },
    concurrency: { type: 'integer', value: 'N', min: 1, max: 1_000, help: 'how many positions are closed at the same time (default 10)' },
    'on-bus-lost': {
      type: 'text',
      value: BUS_LOST_POLICIES.join('|'),
      oneOf: BUS_LOST_POLICIES,
      default: 'escalate',
      help: 'when the bus stays away: tell people, or close the book under a local incident as well',
    },
    ...memoryOption,
    ...alertOptions,
    ...scaleOption,
    ...logOption,
    ...jsonOption,
  },
  run: (values, context) =>
    runRole('exit-worker', values, context, async (deps) => {
      const { runExitWorkerRole } = await import('../../roles/exitWorkerRole.js');
      return runExitWorkerRole(
        {
          bus: sharedBus(values),
          broker: values.required('broker', 'which broker holds the positions'),
          alert: alertConfig(values),
          ...given({
            account: values.text('account'),
            environment: values.text('environment'),
            id: values.text('id'),
            concurrency: values.number('concurrency'),
            brokerTimeoutMs: values.number('broker-timeout'),
            onBusLost: BUS_LOST_POLICIES.find((policy) => policy === values.text('on-bus-lost')),
            memoryFile: values.text('memory-file'),
            scale: values.number('scale'),
          }),
        },
        deps,
      );
    }),
};
