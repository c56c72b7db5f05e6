/** Wraps a strategy's loop: it is told of the shutdown, waited for, and asks for one when it fails. */
import { onAbort } from '../abort.js';
import { checkDurationMs, checkOneOf, checkText } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { shutdownGate } from '../shutdownGate/processGate.js';
import { defaultVerdict, isEndByShutdown, LOOP_ERROR_VERDICTS, type OnLoopError, verdictOf } from './loopErrors.js';
import { type LoopBody, type LoopFailure, runItems, runTicks } from './loopForms.js';
import { checkKnownOptions, DEFAULT_LOOP_NAME } from './options.js';
import type { ShutdownProtocol } from './protocol.js';
import { processShutdown } from './shutdown.js';

export interface LoopOptions {
  /** What reports call it. Default `loop`. */
  readonly name?: string;
  /** What a throw means. Default: a refused order lets a loop over items or ticks go on; anything else asks for the shutdown. */
  readonly onError?: OnLoopError;
  /** Told of throws after which the loop goes on. Default: silent. */
  readonly logger?: Logger;
}

export interface TickOptions extends LoopOptions {
  /** Calls the function at once and then at this interval, never twice at a time; what was missed is left out. Default: called once. */
  readonly everyMs?: number;
}

/** `itself`: the function returned, or the items came to their end. */
export interface LoopEnd {
  readonly endedBy: 'shutdown' | 'itself';
}

/** What a loop stands on. */
export interface LoopPlace {
  readonly clock: Clock;
  /** Aborts when the shutdown is requested. */
  readonly signal: AbortSignal;
  readonly owner: Pick<ShutdownProtocol, 'enterLoop' | 'fail' | 'ended'>;
}

type Work = (signal: AbortSignal) => unknown;
type Form = (body: LoopBody) => Promise<unknown>;

/**
 * Runs `work` until it returns or the shutdown is requested: then its signal aborts, and the drain waits for it. With `everyMs`
 * it is called again and again. A throw asks for the shutdown, and the promise rejects with it once the shutdown has ended.
 * Throws {@link ConfigurationError} for an option that cannot hold.
 */
export function runUntilShutdown(work: (signal: AbortSignal) => unknown, options?: TickOptions): Promise<LoopEnd>;
/** Hands each item to `handle`, one at a time, until they end or the shutdown is requested; a source that ignores that is left behind. */
export function runUntilShutdown<T>(
  items: Iterable<T> | AsyncIterable<T>,
  handle: (item: T, signal: AbortSignal) => unknown,
  options?: LoopOptions,
): Promise<LoopEnd>;
export function runUntilShutdown(
  what: Work | Iterable<unknown> | AsyncIterable<unknown>,
  second: ((item: unknown, signal: AbortSignal) => unknown) | TickOptions = {},
  third: LoopOptions = {},
): Promise<LoopEnd> {
  const place = (): LoopPlace => ({ clock: systemClock, signal: shutdownGate.signal, owner: processShutdown('runUntilShutdown') });
  return typeof what === 'function' ? runWork(place, what, checkSecond(second)) : runOver(place, what, second, third);
}

function checkSecond(second: unknown): TickOptions {
  if (typeof second === 'object' && second !== null) return second;
  throw new ConfigurationError('options', second, 'must be an object');
}

/** The loop of one function, once or at an interval. */
export function runWork(place: () => LoopPlace, work: Work, options: TickOptions): Promise<LoopEnd> {
  const { everyMs } = checkKnownOptions(options, [...LOOP_OPTIONS, 'everyMs']);
  if (everyMs === undefined) return runLoop(place, options, async ({ signal }) => work(signal));
  const checkedMs = checkDurationMs('everyMs', everyMs, { min: 1 });
  return runLoop(place, options, (body) => runTicks(body, checkedMs, work));
}

/** The loop over items. */
export function runOver(place: () => LoopPlace, items: unknown, handle: unknown, options: LoopOptions): Promise<LoopEnd> {
  if (!isIterable(items)) throw new ConfigurationError('items', items, 'must be a function, an iterable or an async iterable');
  if (!isHandler(handle)) throw new ConfigurationError('handle', handle, 'must be the function that is handed each item');
  checkKnownOptions(options, LOOP_OPTIONS);
  return runLoop(place, options, (body) => runItems(body, items, handle));
}

function isHandler(value: unknown): value is (item: unknown, signal: AbortSignal) => unknown {
  return typeof value === 'function';
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

const LOOP_OPTIONS: readonly string[] = ['name', 'onError', 'logger'];

function checkOnError(value: OnLoopError): void {
  if (typeof value !== 'function') checkOneOf('onError', value, LOOP_ERROR_VERDICTS);
}

function runLoop(place: () => LoopPlace, options: LoopOptions, form: Form): Promise<LoopEnd> {
  const { name = DEFAULT_LOOP_NAME, onError = defaultVerdict } = options;
  checkText('name', name);
  checkOnError(onError);
  return follow(place(), name, onError, isolatedLogger(options.logger), form);
}

async function follow(place: LoopPlace, name: string, onError: OnLoopError, logger: Logger, form: Form): Promise<LoopEnd> {
  const { clock, owner, signal: stopping } = place;
  if (stopping.aborted) return { endedBy: 'shutdown' };
  const loop = new AbortController();
  const stop = (): void => loop.abort(stopping.reason);
  const stopListening = onAbort(stopping, stop);
  const leave = owner.enterLoop(name);
  let failed: { readonly error: unknown; readonly asks: boolean } | undefined;
  const goesOn = ({ error, fatal }: LoopFailure): boolean => {
    if (isEndByShutdown(error, loop.signal)) return false;
    const verdict = verdictOf(onError, error, !fatal && !loop.signal.aborted);
    if (verdict === 'continue') logger.warn({ loop: name, err: error }, 'a loop goes on after an error');
    else failed = { error, asks: verdict === 'shutdown' };
    return verdict === 'continue';
  };
  await form({ clock, signal: loop.signal, goesOn }).catch((error: unknown) => goesOn({ error, fatal: true }));
  stopListening();
  leave();
  if (failed !== undefined) return await failedLoop(owner, name, failed);
  return { endedBy: loop.signal.aborted ? 'shutdown' : 'itself' };
}

// The promise rejects only after the shutdown: an error that ends the program, as at the top of a module, must not cut off the drain.
async function failedLoop(
  owner: LoopPlace['owner'],
  name: string,
  { error, asks }: { readonly error: unknown; readonly asks: boolean },
): Promise<never> {
  if (asks) {
    owner.fail(`loop ${name} failed: ${messageOf(error)}`, error);
    await owner.ended();
  }
  throw error;
}
