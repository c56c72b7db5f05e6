/** `failflat halt`: stops trading on every process of the bus. */
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import { type HaltOutcome, halt } from '../../tradingState/halt.js';
import { HALT_TIMEOUT_MS } from '../../tradingState/options.js';
import { busOption, type Command, type CommandContext, given, jsonOption } from '../command.js';
import { actor, byOption, withOperatorBus } from '../operator.js';
import type { Values } from '../options.js';

function report(outcome: HaltOutcome, { output }: CommandContext): void {
  if (outcome.outcome === 'committed') {
    output.out(`HALTED. Halt ${outcome.haltId}, epoch ${outcome.epoch}.`);
    output.out('Every process on this bus refuses new risk from now on. Open positions stay open: failflat panic closes them.');
    output.out('Only failflat rearm ends this halt. A restart does not.');
    if (outcome.unreplicated !== undefined)
      output.err(
        `So far one master alone holds it (${outcome.unreplicated}). Look again with failflat status, above all behind a failover.`,
      );
    return;
  }
  output.err(`NOT CERTAIN. The halt may hold or not: ${outcome.detail}`);
  output.err('Do this now:');
  output.err(`  1. Run the same command again with --id ${outcome.haltId}. The same halt twice is one halt.`);
  output.err('  2. Stop the strategies by hand. Without the bus their leases end by themselves within about a second.');
  output.err('  3. If positions must go: failflat panic; and with no bus at all: failflat panic --direct --broker … --account …');
}

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  try {
    return await withOperatorBus(values, context, async (bus) => {
      const request = { kind: 'manual', by: actor(values), reason: values.text('reason') ?? 'halted from a terminal' } as const;
      const timeoutMs = values.number('timeout');
      const outcome = await halt(
        bus,
        { ...request, ...given({ id: values.text('id') }) },
        { clock: context.clock, ...given({ timeoutMs }) },
      );
      if (values.flag('json')) context.output.out(JSON.stringify(outcome));
      else report(outcome, context);
      return outcome.outcome === 'committed' ? EXIT_CODES.ok : EXIT_CODES.couldNotRun;
    });
  } catch (error) {
    context.output.err('NOT HALTED. This command has changed nothing:');
    throw error;
  }
}

export const haltCommand: Command = {
  name: 'halt',
  summary: 'stop trading now, on every process of the bus',
  details: ['Exit code 0 only when the halt surely holds; 3 when that is not certain, with what to do next. It closes no position.'],
  options: {
    ...busOption,
    reason: { type: 'text', value: 'TEXT', help: 'why; goes into the record (default: halted from a terminal)' },
    ...byOption,
    id: { type: 'text', value: 'ID', help: 'the id of a halt that was not certain, to try it again' },
    timeout: { type: 'duration', value: 'DURATION', min: 1, default: HALT_TIMEOUT_MS, help: 'how long to try' },
    ...jsonOption,
  },
  run,
};
