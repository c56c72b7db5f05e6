/** `failflat exit-brain`: reads the book, decides, and beats. */
import { brokerOptions, busOption, type Command, given, jsonOption } from '../command.js';
import { logOption, runRole, scaleOption, sharedBus } from '../roleCommand.js';

export const exitBrainCommand: Command = {
  name: 'exit-brain',
  summary: 'read the book over and over, let a module decide, and prove by heartbeats that decisions are made',
  details: [
    'The module of --decide has a default export async ({ positions, orders, signal }) => { … }. What it returns is not acted upon.',
    'Without --decide it holds: it reads the book and reports, nothing more.',
  ],
  handlesSignals: true,
  options: {
    ...busOption,
    ...brokerOptions,
    service: { type: 'text', value: 'NAME', default: 'exit-brain', help: 'the name under which it is watched; the same across restarts' },
    decide: { type: 'text', value: './module.mjs', help: 'the module that decides' },
    'decide-every': {
      type: 'duration',
      value: 'DURATION',
      min: 1,
      help: 'pause between two evaluations (default 250ms, divided by --scale)',
    },
    ...scaleOption,
    ...logOption,
    ...jsonOption,
  },
  run: (values, context) =>
    runRole('exit-brain', values, context, async (deps) => {
      const { runExitBrainRole } = await import('../../roles/exitBrainRole.js');
      return runExitBrainRole(
        {
          bus: sharedBus(values),
          broker: values.required('broker', 'which broker holds the positions'),
          ...given({
            account: values.text('account'),
            environment: values.text('environment'),
            serviceId: values.text('service'),
            decide: values.text('decide'),
            decideMs: values.number('decide-every'),
            brokerTimeoutMs: values.number('broker-timeout'),
            scale: values.number('scale'),
          }),
        },
        deps,
      );
    }),
};
