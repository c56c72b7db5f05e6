/** `failflat watchdog`: watches the exit brains. */
import { busOption, type Command, given, jsonOption } from '../command.js';
import { alertConfig, alertOptions, logOption, memoryOption, runRole, scaleOption, sharedBus } from '../roleCommand.js';

export const watchdogCommand: Command = {
  name: 'watchdog',
  summary: 'watch the exit brains, and ask for the book to be closed when one cannot be relied on',
  details: [
    'Run it as a process of its own, best on another machine than the exit brain. Several may run at the same time, each with its own --id.',
  ],
  handlesSignals: true,
  options: {
    ...busOption,
    id: { type: 'text', value: 'NAME', help: 'tells several watchdogs apart (default: watchdog and the name of this host)' },
    'missing-after': { type: 'duration', value: 'DURATION', min: 50, help: 'accuse after so long without a beat (default 5s)' },
    'degraded-after': { type: 'duration', value: 'DURATION', min: 50, help: 'accuse after being degraded for so long (default 5s)' },
    'decision-stale-after': {
      type: 'duration',
      value: 'DURATION',
      min: 50,
      help: 'accuse after so long without a decision, with positions (default 30s)',
    },
    'unguarded-after': {
      type: 'duration',
      value: 'DURATION',
      min: 50,
      help: 'accuse after so long without a beat, with positions (default 3s)',
    },
    ...memoryOption,
    ...alertOptions,
    ...scaleOption,
    ...logOption,
    ...jsonOption,
  },
  run: (values, context) =>
    runRole('watchdog', values, context, async (deps) => {
      const { runWatchdogRole } = await import('../../roles/watchdogRole.js');
      return runWatchdogRole(
        {
          bus: sharedBus(values),
          alert: alertConfig(values),
          rules: given({
            missingMs: values.number('missing-after'),
            degradedMs: values.number('degraded-after'),
            decisionStaleMs: values.number('decision-stale-after'),
            unguardedMs: values.number('unguarded-after'),
          }),
          ...given({ id: values.text('id'), memoryFile: values.text('memory-file'), scale: values.number('scale') }),
        },
        deps,
      );
    }),
};
