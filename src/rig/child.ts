/** One real process of the rig: started, watched, signalled and ended by its own process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Clock, systemClock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { FailflatError, messageOf } from '../errors.js';

/** The rig itself failed: neither a pass nor a catch. */
export class RigError extends FailflatError {
  constructor(detail: string, options?: ErrorOptions) {
    super('rig_failed', detail, options);
  }
}

export interface ChildOptions {
  /** How the rig calls it: `exit-worker-1`. */
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly clock?: Clock;
  /** A program that becomes this one, with its words: what stands before `node`. */
  readonly launcher?: readonly string[];
  /** Of Node itself, before the script. */
  readonly nodeFlags?: readonly string[];
  /** Told of each line that it writes to standard error. */
  readonly onLog?: (line: string) => void;
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
}

/** How much of a child's standard error is kept for the report of a failed rig. */
const KEPT_LOG_LINES = 40;

export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  readonly #log: string[] = [];
  readonly #ready: Promise<Readonly<Record<string, unknown>>>;
  #end: ChildEnd | undefined;

  private constructor(child: ChildProcess, pid: number, options: ChildOptions) {
    this.name = options.name;
    this.pid = pid;
    this.#process = child;
    this.#clock = options.clock ?? systemClock;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#end = { code, signal, atMs: this.#clock.monotonicMs() };
        resolve(this.#end);
      });
    });
    this.#ready = this.#firstLine();
    // A child that ends before it is ready is reported by whoever waits for it.
    this.#ready.catch(() => undefined);
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#log.push(line);
        if (this.#log.length > KEPT_LOG_LINES) this.#log.shift();
        options.onLog?.(line);
      });
    }
  }

  /** Starts `node script args`; resolves when the system has made the process. */
  static async start(options: ChildOptions): Promise<Child> {
    const { launcher = [], nodeFlags = [], script, args } = options;
    const [program = process.execPath, ...words] = [...launcher, process.execPath, ...nodeFlags, script, ...args];
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new RigError(`${options.name} cannot be started: ${messageOf(error)}`, { cause: error })));
    });
    if (child.pid === undefined) throw new RigError(`${options.name} has no process id`);
    return new Child(child, child.pid, options);
  }

  get end(): ChildEnd | undefined {
    return this.#end;
  }

  get log(): readonly string[] {
    return this.#log;
  }

  /** What it said in its first line on standard output, as JSON. */
  async ready(timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
    const said = await settleWithin(this.#clock, this.#ready, timeoutMs);
    if (!said.settled) throw new RigError(`${this.name} was not ready within ${timeoutMs} ms\n${this.#log.join('\n')}`);
    return said.value;
  }

  /** Sends a signal to this process alone. False: it has ended. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#end === undefined && this.#process.kill(signal);
  }

  /** Ends it at once. */
  async kill(): Promise<ChildEnd> {
    this.signal('SIGKILL');
    return this.ended;
  }

  async #firstLine(): Promise<Readonly<Record<string, unknown>>> {
    const { stdout } = this.#process;
    if (stdout === null) throw new RigError(`${this.name} has no standard output`);
    const line = new Promise<string>((resolve) => createInterface({ input: stdout }).once('line', resolve));
    const first = await Promise.race([line, this.ended]);
    if (typeof first !== 'string') {
      throw new RigError(`${this.name} ended before it was ready (code ${first.code}, signal ${first.signal})\n${this.#log.join('\n')}`);
    }
    const parsed: unknown = JSON.parse(first);
    if (typeof parsed !== 'object' || parsed === null)
      throw new RigError(`${this.name} said ${JSON.stringify(first)} instead of being ready`);
    return { ...parsed };
  }
}
