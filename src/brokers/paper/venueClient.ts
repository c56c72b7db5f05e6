/** The paper venue's other side: administration, evidence and market data. */
import type { z } from 'zod';
import { checkDurationMs } from '../../checks.js';
import { type Clock, systemClock } from '../../clock.js';
import { FailflatError } from '../../errors.js';
import * as answers from './answers.js';
import { createHttpClient, type HttpCall } from './http.js';
import { checkVenueUrl, DEFAULT_TIMEOUT_MS } from './options.js';
import type * as wire from './wire.js';

export interface VenueClientOptions {
  /** Default 2,000; a waiting call for bars has its own wait on top. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

export interface Evidence {
  readonly bootId: string;
  /** The venue's monotonic clock when it answered. */
  readonly nowMs: number;
  readonly events: readonly wire.VenueEvent[];
}

/**
 * Each call throws a FailflatError: code `configuration`, with the venue's words, where the venue refuses what was asked, and
 * `broker_unavailable` where no answer came.
 */
export interface VenueClient {
  time(): Promise<wire.TimeAnswer>;
  /** Every event after number `since` (default 0: all), oldest first. */
  evidence(since?: number): Promise<Evidence>;
  switches(): Promise<wire.VenueSwitches>;
  /** Each switch that is named is replaced as a whole; the others stay. */
  setSwitches(patch: wire.VenueSwitchesPatch): Promise<wire.VenueSwitches>;
  seedPositions(request: wire.SeedRequest): Promise<void>;
  replay(request: wire.ReplayRequest): Promise<wire.ReplayAnswer>;
  replayState(): Promise<wire.ReplayAnswer>;
  /** Bars after index `since` (-1: all so far), at once or as soon as there is one, or none after `waitMs` (default 10,000). */
  bars(since: number, options?: { readonly waitMs?: number; readonly signal?: AbortSignal }): Promise<wire.BarsAnswer>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type Request = Omit<HttpCall, 'timeoutMs'> & { readonly timeoutMs?: number };

const nameOf = ({ method, path }: Request) => `${method} ${path}`;

function malformed(request: Request, cause: Error): FailflatError {
  return new FailflatError('broker_unavailable', `${nameOf(request)}: the venue's answer is malformed`, { cause });
}

/** Throws a ConfigurationError for a wrong URL. */
export function createVenueClient(url: string, options: VenueClientOptions = {}): VenueClient {
  const timeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS, { min: 1 });
  const http = createHttpClient(checkVenueUrl('url', url), options.clock ?? systemClock);

  const call = async (request: Request): Promise<unknown> => {
    const outcome = await http.call({ timeoutMs, ...request });
    if (!outcome.answered) throw new FailflatError('broker_unavailable', `${nameOf(request)}: ${outcome.detail}`, { cause: outcome.cause });
    if (outcome.status === 200) return outcome.body;
    const said = answers.decodeAnswer(answers.errorAnswer, outcome.body);
    const code = outcome.status === 400 ? 'configuration' : 'broker_unavailable';
    throw new FailflatError(code, said.ok ? said.value.error : `${nameOf(request)}: the venue answered ${outcome.status}`);
  };

  /** Loads the schemas of administration and evidence when they are first needed: a strategy that only follows bars never does. */
  const administer = async <S extends z.ZodType>(schemaIn: (schemas: typeof wire) => S, request: Request): Promise<z.output<S>> => {
    const [schemas, body] = await Promise.all([import('./wire.js'), call(request)]);
    const parsed = schemaIn(schemas).safeParse(body);
    if (!parsed.success) throw malformed(request, parsed.error);
    return parsed.data;
  };

  const evidence = async (since = 0): Promise<Evidence> => {
    const events: wire.VenueEvent[] = [];
    for (;;) {
      const from = since + events.length;
      const page = await administer((schemas) => schemas.evidenceAnswer, { method: 'GET', path: `/evidence?since=${from}` });
      events.push(...page.events);
      if (!page.more) return { bootId: page.bootId, nowMs: page.nowMs, events };
    }
  };

  const close = (): Promise<void> => {
    http.close();
    return Promise.resolve();
  };

  return {
    time: () => administer((schemas) => schemas.timeAnswer, { method: 'GET', path: '/time' }),
    evidence,
    switches: () => administer((schemas) => schemas.switchesSchema, { method: 'GET', path: '/admin/switches' }),
    setSwitches: (patch) => administer((schemas) => schemas.switchesSchema, { method: 'POST', path: '/admin/switches', body: patch }),
    seedPositions: async (request) => {
      await administer((schemas) => schemas.seedAnswer, { method: 'POST', path: '/admin/positions', body: request });
    },
    replay: (request) => administer((schemas) => schemas.replayAnswer, { method: 'POST', path: '/admin/replay', body: request }),
    replayState: () => administer((schemas) => schemas.replayAnswer, { method: 'GET', path: '/admin/replay' }),
    async bars(since, { waitMs = 10_000, signal } = {}) {
      const path = `/bars?since=${since}&waitMs=${waitMs}`;
      const request: Request = { method: 'GET', path, timeoutMs: waitMs + timeoutMs, signal };
      const decoded = answers.decodeAnswer(answers.barsAnswer, await call(request));
      if (!decoded.ok) throw malformed(request, decoded.malformed);
      return decoded.value;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
