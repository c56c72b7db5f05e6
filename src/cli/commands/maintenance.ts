/** `failflat maintenance`: announces planned work on one service, or ends it early. */
import { ConfigurationError } from '../../errors.js';
import { MAINTENANCE_MAX_MS } from '../../messages/maintenance.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import { endMaintenance, startMaintenance } from '../../tradingState/maintenance.js';
import { busOption, type Command, type CommandContext, jsonOption } from '../command.js';
import { showDuration } from '../duration.js';
import { withOperatorBus } from '../operator.js';
import type { Values } from '../options.js';

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  const { output, clock } = context;
  const serviceId = values.required('service', 'which service is worked on');
  const by = values.required('by', 'who does the work');
  const reason = values.required('reason', 'why');
  const windowId = values.text('end');
  const durationMs = values.number('for');
  if ((windowId === undefined) === (durationMs === undefined)) {
    throw new ConfigurationError('--for', undefined, 'must be given to begin, like --for 90s, and --end ID in its place to end early');
  }
  return withOperatorBus(values, context, async (bus) => {
    if (windowId !== undefined) {
      await endMaintenance(bus, { windowId, serviceId, by, reason }, { clock });
      output.out(
        values.flag('json')
          ? JSON.stringify({ ended: windowId })
          : `Maintenance of ${serviceId} has ended. Trading stays REDUCING until failflat rearm.`,
      );
      return EXIT_CODES.ok;
    }
    const window = await startMaintenance(bus, { serviceId, durationMs: durationMs ?? 0, by, reason }, { clock });
    if (values.flag('json')) output.out(JSON.stringify(window));
    else {
      output.out(
        `Maintenance of ${serviceId} for ${showDuration(window.durationMs)}: window ${window.windowId}. Trading is not ACTIVE meanwhile.`,
      );
      output.out('If its beats do not come back by then, and positions are open, the book is closed.');
      output.out(`To end early: failflat maintenance --end ${window.windowId} --service ${serviceId} --by … --reason …`);
    }
    return EXIT_CODES.ok;
  });
}

export const maintenanceCommand: Command = {
  name: 'maintenance',
  summary: 'announce planned work on a service: trading goes down to REDUCING, its missing beats are expected for a while',
  details: ['The work may begin when the exit code is 0. To trade again afterwards: failflat rearm.'],
  options: {
    ...busOption,
    for: { type: 'duration', value: 'DURATION', min: 1, max: MAINTENANCE_MAX_MS, help: 'how long, at most an hour' },
    end: { type: 'text', value: 'ID', help: 'the window to end early' },
    service: { type: 'text', value: 'NAME', help: 'the exit brain that is worked on' },
    by: { type: 'text', value: 'NAME', help: 'who does the work' },
    reason: { type: 'text', value: 'TEXT', help: 'why' },
    ...jsonOption,
  },
  run,
};
