/** Runs one small program for a probe, with an end to it. */
import { spawn } from 'node:child_process';
import { type Clock, systemClock } from '../../clock.js';
import { messageOf, systemCodeOf } from '../../errors.js';

export interface ProgramEnd {
  /** The program could not be started. */
  readonly absent: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** One line. */
  readonly complaint: string;
}

const LIMIT_MS = 5_000;
const KEPT_CHARS = 2_000;

export interface ProgramOptions {
  readonly limitMs?: number;
  readonly clock?: Clock;
  /** Told once it runs. */
  readonly onStart?: (pid: number) => void;
}

/** Never rejects. What has not ended in time is killed, by its own process id. */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramEnd> {
  const { limitMs = LIMIT_MS, clock = systemClock, onStart } = options;
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = clock.setTimer(limitMs, () => void child.kill('SIGKILL'));
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => (stdout = `${stdout}${bytes.toString()}`.slice(-KEPT_CHARS)));
    child.stderr.on('data', (bytes: Buffer) => (stderr = `${stderr}${bytes.toString()}`.slice(-KEPT_CHARS)));
    child.once('spawn', () => {
      if (child.pid !== undefined) onStart?.(child.pid);
    });
    child.once('error', (error) => {
      timer.cancel();
      resolve({ absent: systemCodeOf(error) === 'ENOENT', code: null, signal: null, stdout, complaint: messageOf(error) });
    });
    child.once('close', (code, signal) => {
      timer.cancel();
      const complaint = stderr.trim().split('\n').at(-1) ?? '';
      resolve({ absent: false, code, signal, stdout, complaint });
    });
  });
}

/** `node -e` with these words behind it. */
export function runNode(code: string, options: ProgramOptions & { readonly flags?: readonly string[] } = {}): Promise<ProgramEnd> {
  return runProgram(process.execPath, [...(options.flags ?? []), '--input-type=commonjs', '-e', code], options);
}
