/** Starts a paper venue: bars, books and HTTP server put together. */
import { type Clock, systemClock } from '../clock.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { FLAT_BARS, readBars } from './bars.js';
import { createVenueState } from './engine/state.js';
import { checkVenueOptions, type VenueOptions } from './options.js';
import { createVenueRuntime } from './runtime.js';
import { startVenueServer } from './server.js';

export interface VenueDeps {
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface RunningVenue {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Ends every connection, also those that wait for an answer. The books are gone with it. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Resolves once the venue listens. Throws a ConfigurationError for a wrong option, a wrong bar file or a port in use. */
export async function runVenue(options: VenueOptions = {}, deps: VenueDeps = {}): Promise<RunningVenue> {
  const { port, bars: file, environment, accounts } = checkVenueOptions(options);
  const clock = deps.clock ?? systemClock;
  const logger = isolatedLogger(deps.logger);
  const bars = file === undefined ? FLAT_BARS : await readBars(file);
  const runtime = createVenueRuntime(createVenueState({ environment, accounts, bars }), clock);
  const server = await startVenueServer({ runtime, clock, logger }, port);
  logger.info({ url: server.url, environment, accounts, bars: bars.length }, 'the paper venue listens');
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= server.close();
    return closing;
  };
  return { url: server.url, close, [Symbol.asyncDispose]: close };
}
