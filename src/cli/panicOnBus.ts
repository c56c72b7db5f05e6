/** `failflat panic` over the bus: the workers close the book, and this command waits for their verdict. */
import type { Bus } from '../bus/bus.js';
import { panicClose } from '../emergencyExit/panicClose.js';
import { messageOf } from '../errors.js';
import type { Completion } from '../messages/completion.js';
import { printable } from '../printable.js';
import { EXIT_CODES, type ExitCode } from '../process/exit.js';
import type { Output } from '../process/output.js';
import { readTradingState } from '../tradingState/read.js';
import { type CommandContext, given } from './command.js';
import { showDuration } from './duration.js';
import { actor, withOperatorBus } from './operator.js';
import type { Values } from './options.js';
import { findStarts, followPanic, type PanicProgress } from './panicProgress.js';

export const DEFAULT_WAIT_MS = 15_000;

const LAST_RESORT = 'If the positions must go now: failflat panic --direct --broker … --account … closes them without the bus.';

function sayUnknown(output: Output, detail: string): void {
  output.err(`NOT CERTAIN. The panic may stand on the bus or not: ${detail}`);
  output.err('Run the same command again: workers take a second panic for the same incident.');
  output.err(LAST_RESORT);
}

function sayCompletion(output: Output, { account, verdict, positionsClosed, positionsTotal, silentHolders, residue }: Completion): void {
  const say = (line: string): void => output.out(printable(line));
  say(`${account}: ${verdict}, ${positionsClosed} of ${positionsTotal} positions closed.`);
  if (silentHolders.length > 0) {
    say(`  The book is empty, but nobody knows whether these still have orders on the way: ${silentHolders.join(', ')}.`);
    output.out('  The worker keeps watching and closes what still fills. Look at the venue yourself.');
  }
  for (const { symbol, quantity, why } of residue) say(`  left: ${symbol} ${quantity} (${why})`);
}

function sayEnd({ output, signal }: CommandContext, { done, completions, escalations }: PanicProgress, waitedMs: number): void {
  for (const completion of completions) sayCompletion(output, completion);
  for (const { account, verdict, residue } of escalations) {
    const left = residue.map(({ symbol, quantity, why }) => `${symbol} ${quantity} (${why})`).join(', ');
    output.err(printable(`${account}: ${verdict}. A person is needed. ${left}`));
  }
  if (done) return;
  const why = signal.aborted ? 'This command was told to end' : `No verdict within ${showDuration(waitedMs)}`;
  output.err(`${why}. The panic stands: workers carry it out whenever they can. failflat status tells how far they are.`);
  output.err(LAST_RESORT);
}

async function accountsMeant(bus: Bus, scope: string | undefined): Promise<readonly string[]> {
  if (scope !== undefined) return [scope];
  try {
    return (await readTradingState(bus)).state.accounts;
  } catch {
    // Which accounts it is about is for the workers to know; a panic does not wait for it.
    return [];
  }
}

export async function panicOnBus(values: Values, context: CommandContext): Promise<ExitCode> {
  const { output, clock, signal } = context;
  const json = values.flag('json');
  const waitMs = values.flag('no-wait') ? 0 : (values.number('wait') ?? DEFAULT_WAIT_MS);
  const scope = values.text('account');
  return withOperatorBus(values, context, async (bus) => {
    const starts = await findStarts(bus).catch(() => undefined);
    const accounts = await accountsMeant(bus, scope);
    const request = { reason: values.text('reason') ?? 'panic from a terminal', by: actor(values), ...given({ scope }) };
    const sent = await panicClose(bus, request, { clock });
    if (sent.outcome === 'unknown') {
      if (json) output.out(JSON.stringify(sent));
      sayUnknown(output, sent.detail);
      return EXIT_CODES.couldNotRun;
    }
    if (!json) output.out(`Panic ${sent.eventId} stands, epoch ${sent.epoch}, for ${scope ?? 'every account'}.`);
    if (waitMs === 0 || starts === undefined) {
      if (json) output.out(JSON.stringify({ ...sent, done: false, completions: [], escalations: [] }));
      if (starts !== undefined) return EXIT_CODES.ok;
      output.err('What becomes of it cannot be followed: the bus could not be read. failflat status tells how far the workers are.');
      output.err(LAST_RESORT);
      return EXIT_CODES.couldNotRun;
    }
    try {
      const step = json ? () => {} : (line: string) => output.out(printable(`  ${line}`));
      const progress = await followPanic(bus, starts, { epoch: sent.epoch, accounts, clock, waitMs, signal, step });
      if (json) output.out(JSON.stringify({ ...sent, ...progress }));
      else sayEnd(context, progress, waitMs);
      const proven = progress.done && progress.completions.every(({ verdict }) => verdict !== 'flat_unconfirmed');
      return proven ? EXIT_CODES.ok : EXIT_CODES.red;
    } catch (error) {
      output.err(`The panic stands, but the bus cannot be read any more: ${messageOf(error)}`);
      output.err(LAST_RESORT);
      return EXIT_CODES.couldNotRun;
    }
  });
}
