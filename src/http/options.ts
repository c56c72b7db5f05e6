/** The options of the HTTP attachment, checked by hand, and what they are worth when left out. */
import { checkDurationMs } from '../checks.js';
import type { Clock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import type { IntentKind, Permission } from '../permission.js';
import type { ShutdownGate } from '../shutdownGate/gate.js';
import { shutdownGate } from '../shutdownGate/processGate.js';

/** What a request asks for: `read` changes nothing. */
export type RequestIntent = IntentKind | 'read';

/** What is known of a request before its body has come. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
}

export interface HttpOptions {
  /** Whose shutdown counts. Default: the process-wide gate. */
  readonly gate?: ShutdownGate;
  /** A switch that refuses answers requests that add risk with 409 and its code. */
  readonly killSwitch?: Permission;
  /** Any others that may say no, for instance a lease. */
  readonly permissions?: readonly Permission[];
  /** What a request asks for. Default: GET, HEAD and OPTIONS read, DELETE cancels, anything else increases. A throw counts as `increase`. */
  readonly intent?: (request: RequestFacts) => RequestIntent;
  /** Answers 200 while the process lives, also when it shuts down. Default `/livez`; false: none. */
  readonly livenessPath?: string | false;
  /** Answers 200 until the shutdown is requested, and 503 from then on. Default `/readyz`; false: none. */
  readonly readinessPath?: string | false;
  /** When a caller that was told `shutting_down` may ask again, elsewhere. Default 1,000 ms. */
  readonly retryAfterMs?: number;
  /** So long after the shutdown was requested new connections are still taken, and told. Default 1,000 ms. */
  readonly noticeMs?: number;
  /** So long requests in flight may take to finish after that; then their connections are cut. Default 5,000 ms. */
  readonly closeTimeoutMs?: number;
}

export const DEFAULT_LIVENESS_PATH = '/livez';
export const DEFAULT_READINESS_PATH = '/readyz';
export const DEFAULT_RETRY_AFTER_MS = 1_000;
export const DEFAULT_NOTICE_MS = 1_000;
export const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;

/** Options with every default filled in. */
export interface HttpSettings {
  readonly gate: ShutdownGate;
  readonly clock: Clock;
  readonly permissions: readonly Permission[];
  readonly intent: (request: RequestFacts) => unknown;
  readonly livenessPath: string | false;
  readonly readinessPath: string | false;
  readonly retryAfterMs: number;
  readonly noticeMs: number;
  readonly closeTimeoutMs: number;
}

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function intentOfMethod({ method }: RequestFacts): RequestIntent {
  if (READING_METHODS.has(method)) return 'read';
  return method === 'DELETE' ? 'cancel' : 'increase';
}

const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'gate',
  'killSwitch',
  'permissions',
  'intent',
  'livenessPath',
  'readinessPath',
  'retryAfterMs',
  'noticeMs',
  'closeTimeoutMs',
]);

function checkPermission(field: string, value: unknown): Permission {
  if (isPermission(value)) return value;
  throw new ConfigurationError(field, value, 'must be a permission: an object with a name and a check function');
}

function isPermission(value: unknown): value is Permission {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('check' in value)) return false;
  return typeof value.name === 'string' && typeof value.check === 'function';
}

function checkPath(field: string, value: unknown, otherwise: string): string | false {
  if (value === undefined) return otherwise;
  if (value === false) return false;
  if (typeof value !== 'string' || !/^\/[^?#\s]*$/.test(value)) {
    throw new ConfigurationError(field, value, 'must be a path that begins with / and has no query, or false');
  }
  return value;
}

function permissionsOf(given: Readonly<Record<string, unknown>>): readonly Permission[] {
  const { permissions = [] } = given;
  if (!Array.isArray(permissions)) throw new ConfigurationError('permissions', permissions, 'must be an array of permissions');
  const others = permissions.map((permission, index) => checkPermission(`permissions[${index}]`, permission));
  // Present and undefined is a safety input gone missing, not one left out.
  return 'killSwitch' in given ? [checkPermission('killSwitch', given['killSwitch']), ...others] : others;
}

/** Throws {@link ConfigurationError} for the first option that cannot hold. */
export function httpSettings(options: HttpOptions): HttpSettings {
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const field of Object.keys(given)) {
    if (!KNOWN_OPTIONS.has(field))
      throw new ConfigurationError(field, given[field], `is not an option: one of ${[...KNOWN_OPTIONS].join(', ')}`);
  }
  const { gate = shutdownGate, intent = intentOfMethod } = options;
  if (typeof intent !== 'function') throw new ConfigurationError('intent', intent, 'must be a function');
  const duration = (field: string, otherwise: number): number =>
    given[field] === undefined ? otherwise : checkDurationMs(field, given[field]);
  const livenessPath = checkPath('livenessPath', given['livenessPath'], DEFAULT_LIVENESS_PATH);
  const readinessPath = checkPath('readinessPath', given['readinessPath'], DEFAULT_READINESS_PATH);
  if (livenessPath !== false && livenessPath === readinessPath) {
    throw new ConfigurationError(
      'readinessPath',
      readinessPath,
      'must not be the livenessPath: one of them must say 503 while the other says 200',
    );
  }
  return {
    gate,
    clock: gate.clock,
    permissions: permissionsOf(given),
    intent,
    livenessPath,
    readinessPath,
    retryAfterMs: duration('retryAfterMs', DEFAULT_RETRY_AFTER_MS),
    noticeMs: duration('noticeMs', DEFAULT_NOTICE_MS),
    closeTimeoutMs: duration('closeTimeoutMs', DEFAULT_CLOSE_TIMEOUT_MS),
  };
}
