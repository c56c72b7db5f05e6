/** Decides what a request is told before the program sees it: alive, ready, shutting down, refused, or nothing at all. */

import { messageOf } from '../errors.js';
import type { Refusal } from '../permission.js';
import { doubt, firstRefusal } from '../shutdownGate/door.js';
import type { OrderRefusal } from '../shutdownGate/errors.js';
import { DEFAULT_RETRY_AFTER_MS, type HttpSettings, type RequestFacts, type RequestIntent } from './options.js';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Where in a 503 the callers of the originals look. */
const SHUTTING_DOWN = 'shutting_down';

function shuttingDown(reason: string, retryAfterMs: number): HttpAnswer {
  return {
    status: 503,
    headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)), connection: 'close' },
    body: { error: SHUTTING_DOWN, reason },
  };
}

/**
 * What a caller is told of an order that the door refused: 503 `shutting_down` after the gate was shut, else 409 and the code of
 * the refusal. For request handlers that call `trySubmit`.
 */
export function answerOf(refusal: OrderRefusal, retryAfterMs = DEFAULT_RETRY_AFTER_MS): HttpAnswer {
  const { code, source, reason, sinceWallMs, maxQuantity } = refusal;
  if (code === 'shutdown_requested') return shuttingDown(reason, retryAfterMs);
  const since = sinceWallMs === undefined ? {} : { sinceWallMs };
  const most = maxQuantity === undefined ? {} : { maxQuantity };
  return { status: 409, headers: {}, body: { error: code, source, reason, ...since, ...most } };
}

export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

/** Undefined: no probe. A probe only looks; it never asks a permission. */
export function probeAnswer(
  { gate, livenessPath, readinessPath, retryAfterMs }: HttpSettings,
  facts: RequestFacts,
): HttpAnswer | undefined {
  if (facts.method !== 'GET' && facts.method !== 'HEAD') return undefined;
  const path = pathOf(facts.url);
  if (path === livenessPath) return livenessAnswer();
  return path === readinessPath ? readinessAnswer({ gate, retryAfterMs }) : undefined;
}

export function livenessAnswer(): HttpAnswer {
  return { status: 200, headers: {}, body: { status: 'alive' } };
}

export function readinessAnswer({ gate, retryAfterMs }: Pick<HttpSettings, 'gate' | 'retryAfterMs'>): HttpAnswer {
  if (!gate.requested) return { status: 200, headers: {}, body: { status: 'ready' } };
  const { headers, status, body } = shuttingDown(gate.reason ?? '', retryAfterMs);
  return { status, headers, body: { ...body, inflight: gate.inflight() } };
}

/** A connection that comes to speak another protocol could outlast everything; before the shutdown it is the program's own affair. */
export function upgradeAnswer({ gate, retryAfterMs }: HttpSettings): HttpAnswer | undefined {
  return gate.requested ? shuttingDown(gate.reason ?? '', retryAfterMs) : undefined;
}

function intentOf(settings: HttpSettings, facts: RequestFacts): RequestIntent {
  let intent: unknown;
  try {
    intent = settings.intent(facts);
  } catch {
    // Doubt about what a request asks for is doubt about risk.
  }
  return intent === 'read' || intent === 'cancel' || intent === 'reduce' ? intent : 'increase';
}

function refusalOf({ clock, permissions }: HttpSettings): Refusal | undefined {
  try {
    return firstRefusal(permissions, { nowMs: clock.monotonicMs(), intent: 'increase' });
  } catch (thrown) {
    // The clock: without it no permission can be asked.
    return doubt('http', `the permissions could not be asked: ${messageOf(thrown)}`);
  }
}

/**
 * Undefined: the program answers. Reading always passes. After the gate was shut nothing else does; before that cancels and
 * reductions do, whatever is halted, as the order door judges them.
 */
export function refusalAnswer(settings: HttpSettings, facts: RequestFacts): HttpAnswer | undefined {
  const { gate, permissions, retryAfterMs } = settings;
  if (!gate.requested && permissions.length === 0) return undefined;
  const intent = intentOf(settings, facts);
  if (intent === 'read') return undefined;
  if (gate.requested) return shuttingDown(gate.reason ?? '', retryAfterMs);
  const refusal = intent === 'increase' ? refusalOf(settings) : undefined;
  return refusal === undefined ? undefined : answerOf(refusal, retryAfterMs);
}
