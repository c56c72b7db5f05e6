/** A child process of a test: its lines as they come, signals by its own id, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.js';

export class TestChild {
  readonly lines: string[] = [];
  errors = '';
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #exited: Promise<unknown>;

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#process, 'close');
    this.#exited = once(this.#process, 'exit');
    let rest = '';
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) this.lines.push(line);
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
  }

  static node(script: URL, ...args: readonly string[]): TestChild {
    return new TestChild(process.execPath, [script.pathname, ...args]);
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the child did not start');
    return this.#process.pid;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async line(text: string | RegExp, timeoutMs = 10_000): Promise<string> {
    return eventually(() => this.lines.find((line) => (typeof text === 'string' ? line === text : text.test(line))), { timeoutMs });
  }

  /** Waits for the end and gives the exit code (null: ended by a signal). */
  async end(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  /** How it ended, as whoever started it sees it: a code, or the signal that ended it. */
  async ending(): Promise<number | NodeJS.Signals | null> {
    await this.#ended;
    return this.#process.signalCode ?? this.#process.exitCode;
  }

  /** The same without waiting for its output, which may have no reader. */
  async exited(): Promise<number | NodeJS.Signals | null> {
    await this.#exited;
    return this.#process.signalCode ?? this.#process.exitCode;
  }

  /** Stops reading what it says: its output has no reader any more. */
  closeOutput(): void {
    this.#process.stdout?.destroy();
  }

  /** Ends it if it still runs. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.signal('SIGKILL');
    await this.#ended;
  }
}
