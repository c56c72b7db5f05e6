/** The built command line as a child process: ended runs, and roles that stay. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const Ready = z.object({ ready: z.string(), id: z.string(), pid: z.number(), bus: z.string().optional(), url: z.string().optional() });
export type Ready = z.output<typeof Ready>;

/** The one JSON document on standard output. */
export function documentOf({ stdout }: Ended): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(stdout));
}

export type Env = Readonly<Record<string, string>>;

/** A started command: what it has said so far, and its end. */
export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(args: readonly string[], options: { readonly cwd: string; readonly env?: Env }) {
    if (!existsSync(MAIN)) throw new Error('dist/cli/main.js is missing: run `npm run build` first');
    const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
    for (const name of ['FAILFLAT_BUS', 'FAILFLAT_BROKER', 'FAILFLAT_ACCOUNT']) if (options.env?.[name] === undefined) delete env[name];
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** The one line that a role prints with `--json` when it is ready. */
  async ready(): Promise<Ready> {
    let end: Ended | undefined;
    void this.ended.then((ended) => {
      end = ended;
    });
    const line = await eventually(
      () => {
        const at = this.stdout.indexOf('\n');
        return at < 0 && end === undefined ? undefined : this.stdout.slice(0, Math.max(at, 0)) || 'nothing';
      },
      { timeoutMs: 15_000 },
    );
    if (line === 'nothing') throw new Error(`it ended before it was ready: ${this.stderr}`);
    return Ready.parse(JSON.parse(line));
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.send(signal);
    return this.ended;
  }
}

/** A directory of its own, and everything that was started in it: gone at the end. */
export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), 'failflat-cli-'));
  readonly #running: Running[] = [];

  path(name: string): string {
    return join(this.directory, name);
  }

  start(args: readonly string[], env: Env = {}): Running {
    const running = new Running(args, { cwd: this.directory, env });
    this.#running.push(running);
    return running;
  }

  run(args: readonly string[], env: Env = {}): Promise<Ended> {
    return this.start(args, env).ended;
  }

  async role(args: readonly string[]): Promise<{ readonly process: Running; readonly ready: Ready }> {
    const process = this.start([...args, '--json', '--log-level', 'warn']);
    return { process, ready: await process.ready() };
  }

  async remove(): Promise<void> {
    for (const running of this.#running) running.send('SIGKILL');
    await Promise.all(this.#running.map((running) => running.ended));
    rmSync(this.directory, { recursive: true, force: true });
  }
}
