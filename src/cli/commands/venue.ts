/** `failflat venue`: the paper venue. */
import { type Command, given, jsonOption } from '../command.js';
import { logOption, runRole } from '../roleCommand.js';

export const venueCommand: Command = {
  name: 'venue',
  summary: 'run a paper venue: an exchange with books of its own, on loopback',
  details: ['It forgets everything when it ends. Its address is printed when it listens.'],
  handlesSignals: true,
  options: {
    port: { type: 'integer', value: 'PORT', min: 0, max: 65_535, default: 0, help: 'where to listen; 0 takes any free port' },
    bars: { type: 'text', value: 'FILE.csv', help: 'price bars to replay (default: one price that never moves)' },
    environment: { type: 'text', value: 'NAME', default: 'paper', help: 'what the venue calls itself' },
    account: {
      type: 'texts',
      value: 'NAME',
      env: 'FAILFLAT_ACCOUNT',
      help: 'an account that is open from the start; may be repeated (default: default)',
    },
    ...logOption,
    ...jsonOption,
  },
  run: (values, context) =>
    runRole('venue', values, context, async (deps) => {
      const { runVenueRole } = await import('../../roles/venueRole.js');
      const accounts = values.texts('account');
      return runVenueRole(
        given({
          port: values.number('port'),
          bars: values.text('bars'),
          environment: values.text('environment'),
          accounts: accounts.length === 0 ? undefined : accounts,
        }),
        deps,
      );
    }),
};
