/** `failflat panic --direct`: closes an account from this process, with no bus at all. */
import { openBroker } from '../brokers/openBroker.js';
import { type DirectExitResult, directExit } from '../emergencyExit/direct.js';
import { EXIT_CODES, type ExitCode } from '../process/exit.js';
import { checkCloseTimeoutMs, scaledTimings } from '../roles/scale.js';
import { type CommandContext, given } from './command.js';
import type { Values } from './options.js';

function sayResult({ output }: CommandContext, account: string, { verdict, progress, residue }: DirectExitResult): void {
  output.out(`${account}: ${verdict}, ${progress.closed} of ${progress.total} positions closed.`);
  for (const { symbol, quantity, why } of residue) output.out(`  left: ${symbol} ${quantity} (${why})`);
  if (verdict === 'flat_unconfirmed') {
    output.out('  Without the bus nobody can be asked who else has orders on the way: stop the strategies, and look at the venue again.');
  } else if (verdict !== 'dust') output.err('  It is not flat. Close what is left at the venue itself.');
}

export async function panicDirect(values: Values, context: CommandContext): Promise<ExitCode> {
  const { output, clock, signal } = context;
  const spec = values.required('broker', 'which broker holds the positions');
  const account = values.required('account', 'which account to close: without the bus nobody else can say');
  const scaled = scaledTimings(values.number('scale'));
  const timeoutMs = checkCloseTimeoutMs(values.number('broker-timeout') ?? scaled.brokerTimeoutMs, scaled.exitWorker);
  const environment = given({ environment: values.text('environment') });
  const broker = await openBroker(spec, { account, ...environment, timeoutMs, source: 'panic-direct', clock });
  const json = values.flag('json');
  if (!json) output.out(`Closing ${account} directly. Trading is not halted by this: failflat halt does that, where there is a bus.`);
  try {
    const result = await directExit({
      broker,
      account,
      ...environment,
      timings: scaled.exitWorker,
      signal,
      clock,
      observe: (event, cause) => {
        if (!json) output.out(`  ${event}: ${cause}`);
      },
    });
    if (json) output.out(JSON.stringify({ account, ...result }));
    else sayResult(context, account, result);
    return result.verdict === 'flat_unconfirmed' || result.verdict === 'dust' ? EXIT_CODES.ok : EXIT_CODES.red;
  } finally {
    await broker.close();
  }
}
