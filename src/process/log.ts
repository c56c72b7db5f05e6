/** The log of a process: JSON lines on standard error, or one readable line each where a person watches. */
import type { Logger } from '../logger.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Which part of the system logs: a role's name. */
  readonly name: string;
}

const LEVEL_WORDS: ReadonlyMap<unknown, string> = new Map([
  [20, 'debug'],
  [30, 'info '],
  [40, 'WARN '],
  [50, 'ERROR'],
]);

/** More than this waiting for a reader that does not read is dropped: a log must not fill the memory. */
const MAX_WAITING_BYTES = 4_000_000;

function recordOf(parsed: unknown): Readonly<Record<string, unknown>> {
  return typeof parsed === 'object' && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : {};
}

// What others have said must not begin a line of its own, nor move the cursor.
function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** One line for a person of one line of JSON. */
export function readableLine(json: string): string {
  const parsed: unknown = JSON.parse(json);
  const { time, level, name, msg, pid: _pid, hostname: _hostname, ...details } = recordOf(parsed);
  const clockTime = typeof time === 'number' ? new Date(time).toISOString().slice(11, 23) : '';
  const words = Object.entries(details).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${onOneLine([clockTime, LEVEL_WORDS.get(level) ?? '', `${String(name)}:`, String(msg), ...words].join(' '))}\n`;
}

export async function createLog(options: LogOptions): Promise<Logger> {
  const { pino } = await import('pino');
  const write = (line: string) => process.stderr.write(readableLine(line));
  // Written without waiting: a reader that has stopped must not stop this process.
  const waitless = () => pino.destination({ dest: 2, sync: false, maxLength: MAX_WAITING_BYTES }).on('error', () => undefined);
  const log = pino(options, process.stderr.isTTY ? { write } : waitless());
  return {
    debug: (details, message) => log.debug(details, message),
    info: (details, message) => log.info(details, message),
    warn: (details, message) => log.warn(details, message),
    error: (details, message) => log.error(details, message),
  };
}
