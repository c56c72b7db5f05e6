/** `failflat doctor`: what this host lets a chaos run do, what needs root and why, and what a killed one has left. */
import { type Command, jsonOption } from '../command.js';
import type { OptionTable } from '../options.js';

const options = {
  undo: { type: 'flag', help: 'take back instead what a chaos run that was killed has left: its processes, and its directories' },
  ...jsonOption,
} as const satisfies OptionTable;

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'try on this host what a chaos run would do to processes of its own, and say what works, what is missing and what needs root',
  details: [
    'Nothing outside its own processes is touched, and nothing is left.',
    'Exit code 0, whatever is missing; with --undo, 3 where something could not be taken back.',
  ],
  options,
  run: async (values, { output, clock }) => {
    const { doctor, undoWhatIsLeft } = await import('../../chaos/capabilities/command.js');
    const context = { output, clock, json: values.flag('json') };
    return values.flag('undo') ? undoWhatIsLeft(context) : doctor(context);
  },
};
