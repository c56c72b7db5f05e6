/** Matchers for Vitest (and Jest): `expect.extend(safetyMatchers)`. */
import { isFailflatError } from '../errors.js';
import type { SafetyReport } from './checkSafety.js';

export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

function told({ violation, timeline, schedule, seeds, simulatedSeconds }: SafetyReport): string {
  if (violation === undefined) return `every promise held in ${seeds} seeds, ${simulatedSeconds} simulated seconds`;
  return `${violation.promise} is broken: ${violation.detail}\n\n${timeline ?? ''}\n\nreplay it with the schedule:\n${JSON.stringify(schedule)}`;
}

function codeOf(received: unknown): string | undefined {
  if (isFailflatError(received)) return received.code;
  if (typeof received === 'object' && received !== null && 'ok' in received && received.ok === false && 'code' in received)
    return typeof received.code === 'string' ? received.code : undefined;
  return undefined;
}

export const safetyMatchers = {
  /** Of a report of `checkSafety`. */
  toHoldItsPromises(received: SafetyReport): MatcherResult {
    return { pass: received.ok, message: () => told(received) };
  },
  /** Of a report of `checkSafety`: this promise is the one that is broken. */
  toBreak(received: SafetyReport, promise: string): MatcherResult {
    return {
      pass: received.violation?.promise === promise,
      message: () => `expected ${promise} ${received.violation?.promise === promise ? 'not ' : ''}to be broken; ${told(received)}`,
    };
  },
  /** Of what `trySubmit` answered, or of an error that `submit` rejected with. */
  toBeRefused(received: unknown, code?: string): MatcherResult {
    const found = codeOf(received);
    const pass = found !== undefined && (code === undefined || found === code);
    return {
      pass,
      message: () =>
        found === undefined
          ? 'the order was not refused'
          : `the order was refused with ${found}${code === undefined ? '' : `, compared with ${code}`}`,
    };
  },
};
