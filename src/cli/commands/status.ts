/** `failflat status`: may we trade, who is at work, what is open. Reads only. */
import { EXIT_CODES } from '../../process/exit.js';
import { formatStatus } from '../../tradingState/formatStatus.js';
import { OBSERVE_MS } from '../../tradingState/options.js';
import { readStatus } from '../../tradingState/status.js';
import { highlighted } from '../colour.js';
import { busOption, type Command, given, jsonOption } from '../command.js';
import { withOperatorBus } from '../operator.js';

export const statusCommand: Command = {
  name: 'status',
  summary: 'say whether trading is allowed, who is at work and what is open',
  details: ['It reads and changes nothing. Exit code 3 means that the state could not be read: treat it as halted.'],
  options: {
    ...busOption,
    observe: { type: 'duration', value: 'DURATION', min: 1, max: 60_000, default: OBSERVE_MS, help: 'how long to listen for heartbeats' },
    ...jsonOption,
  },
  run: (values, context) =>
    withOperatorBus(values, context, async (bus) => {
      const status = await readStatus(bus, { clock: context.clock, ...given({ observeMs: values.number('observe') }) });
      const { output } = context;
      output.out(values.flag('json') ? JSON.stringify(status) : highlighted(formatStatus(status), output.colours));
      return status.state === undefined ? EXIT_CODES.couldNotRun : EXIT_CODES.ok;
    }),
};
