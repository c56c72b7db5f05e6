/** The paper venue's other side: administration, evidence and market data. */
import type { z } from 'zod';
import { checkDurationMs } from '../../checks.js';
import { type Clock, systemClock } from '../../clock.js';
import { FailflatError } from '../../errors.js';
import { createHttpClient, type HttpCall } from './http.js';
import { checkVenueUrl, DEFAULT_TIMEOUT_MS } from './options.js';
import * as wire from './wire.js';

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

/** Throws a ConfigurationError for a wrong URL. */
export function createVenueClient(url: string, options: VenueClientOptions = {}): VenueClient {
  const timeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS, { min: 1 });
  const http = createHttpClient(checkVenueUrl('url', url), options.clock ?? systemClock);

  const call = async <S extends z.ZodType>(
    schema: S,
    request: Omit<HttpCall, 'timeoutMs'> & { timeoutMs?: number },
  ): Promise<z.output<S>> => {
    const outcome = await http.call({ timeoutMs, ...request });
    const what = `${request.method} ${request.path}`;
    if (!outcome.answered) throw new FailflatError('broker_unavailable', `${what}: ${outcome.detail}`, { cause: outcome.cause });
    if (outcome.status !== 200) {
      const said = wire.errorAnswer.safeParse(outcome.body);
      const code = outcome.status === 400 ? 'configuration' : 'broker_unavailable';
      throw new FailflatError(code, said.success ? said.data.error : `${what}: the venue answered ${outcome.status}`);
    }
    const parsed = schema.safeParse(outcome.body);
    if (!parsed.success) throw new FailflatError('broker_unavailable', `${what}: the venue's answer is malformed`, { cause: parsed.error });
    return parsed.data;
  };

  const evidence = async (since = 0): Promise<Evidence> => {
    const events: wire.VenueEvent[] = [];
    for (;;) {
      const from = since + events.length;
      const page = await call(wire.evidenceAnswer, { method: 'GET', path: `/evidence?since=${from}` });
      events.push(...page.events);
      if (!page.more) return { bootId: page.bootId, nowMs: page.nowMs, events };
    }
  };

  const close = (): Promise<void> => {
    http.close();
    return Promise.resolve();
  };

  return {
    time: () => call(wire.timeAnswer, { method: 'GET', path: '/time' }),
    evidence,
    switches: () => call(wire.switchesSchema, { method: 'GET', path: '/admin/switches' }),
    setSwitches: (patch) => call(wire.switchesSchema, { method: 'POST', path: '/admin/switches', body: patch }),
    seedPositions: async (request) => {
      await call(wire.seedAnswer, { method: 'POST', path: '/admin/positions', body: request });
    },
    replay: (request) => call(wire.replayAnswer, { method: 'POST', path: '/admin/replay', body: request }),
    replayState: () => call(wire.replayAnswer, { method: 'GET', path: '/admin/replay' }),
    bars: (since, { waitMs = 10_000, signal } = {}) =>
      call(wire.barsAnswer, { method: 'GET', path: `/bars?since=${since}&waitMs=${waitMs}`, timeoutMs: waitMs + timeoutMs, signal }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
