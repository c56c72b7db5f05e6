/** Alerts as a command of the operator's own, started without a shell, the alert as JSON on its standard input. */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../clock.js';
import { nodeChildProcess } from '../onDemand.js';
import { type AlertSink, dedupeKey } from './alert.js';
import { type CommandAlertOptions, checkCommand, checkSinkOptions, DEFAULT_COMMAND_TIMEOUT_MS } from './options.js';

/** At most this many at once: a storm of alerts must not become a storm of processes. */
const MAX_RUNNING = 8;

/** `command`: the program and its arguments. Throws a ConfigurationError where it is not a list of texts. */
export function commandAlert(command: readonly string[], options: CommandAlertOptions = {}): AlertSink {
  const [program, ...args] = checkCommand(command);
  const { timeoutMs, clock } = checkSinkOptions(options, DEFAULT_COMMAND_TIMEOUT_MS);
  let running = 0;
  return {
    send: async (alert) => {
      if (running >= MAX_RUNNING) throw new Error(`${program}: ${MAX_RUNNING} alerts are still being sent`);
      running += 1;
      try {
        const child = nodeChildProcess().spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], shell: false, windowsHide: true });
        await ended(child, program, JSON.stringify({ ...alert, dedupeKey: dedupeKey(alert) }), clock, timeoutMs);
      } finally {
        running -= 1;
      }
    },
  };
}

function ended(child: ChildProcess, program: string, input: string, clock: Clock, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      child.kill('SIGKILL');
      settle(new Error(`${program}: not done within ${timeoutMs} ms`));
    });
    const settle = (error?: Error) => {
      timer.cancel();
      if (error === undefined) resolve();
      else reject(error);
    };
    child.once('error', (error) => settle(error));
    child.once('exit', (code, signal) => settle(code === 0 ? undefined : new Error(`${program}: ended with ${signal ?? `code ${code}`}`)));
    // A command that does not read its input closes the pipe early: its exit code says whether that was a failure.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
