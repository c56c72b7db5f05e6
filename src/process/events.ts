/** What the process itself says and does: its signals, its faults, its exit. The one place that listens to it, and only when asked. */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { systemClock } from '../clock.js';
import { nodeWorkerThreads } from '../onDemand.js';
import { exitNow } from './exit.js';

/** Signals that ask a process to end and that a program can hear. */
export const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

/** A second signal that comes sooner is the same one: terminals and service managers send it to a whole group. */
export const DEAD_WINDOW_MS = 1_000;

/** What nobody caught. */
export const FAULT_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
export type FaultEvent = (typeof FAULT_EVENTS)[number];

/** What the shutdown needs of the process. Each `on…` answers how to stop listening. */
export interface ProcessEvents {
  /** False in a worker thread, which gets no signals. */
  readonly hearsSignals: boolean;
  /** Calls `listener` before those that others have added. */
  onSignal(name: EndSignal, listener: () => void): () => void;
  /** How many listeners a signal has, whoever added them. */
  listenersOf(name: EndSignal): number;
  onFault(name: FaultEvent, listener: (thrown: unknown) => void): () => void;
  /** At the exit, whoever asked for it. A code that `listener` answers takes the place of the one the process would end with. */
  onExit(listener: (code: number) => number | undefined): () => void;
  /** From now on a reader of the output that has gone away is no error. */
  forgiveOutput(): void;
  /** How many bytes of the output wait for a reader. */
  unwrittenBytes(): number;
  /** One line on standard error, at once and without ever waiting for a reader: what cannot be written is dropped. */
  tell(line: string): void;
  /** Ends the process as the signal would have, so that whoever started it sees which one. */
  endBySignal(name: EndSignal): void;
  /** Ends the process with `code`, or with the code that the program has set. */
  exit(code: number | undefined): void;
}

/** A signal that has not ended the process by then never will. */
const STUBBORN_MS = 100;

function onSignal(name: EndSignal, listener: () => void): () => void {
  const heard = (): void => listener();
  process.prependListener(name, heard);
  return () => void process.removeListener(name, heard);
}

function onFault(name: FaultEvent, listener: (thrown: unknown) => void): () => void {
  const heard = (thrown: unknown): void => listener(thrown);
  process.on(name, heard);
  return () => void process.removeListener(name, heard);
}

/**
 * Until the answer is called, rejections that nobody handles are asked about here first: those that `mine` takes reach nobody else, and
 * every other one goes where it would have gone.
 */
export function divertRejections(mine: (thrown: unknown) => boolean): () => void {
  const name = 'unhandledRejection';
  const others = process.listeners(name);
  const heard = (thrown: unknown, promise: Promise<unknown>): void => {
    if (mine(thrown)) return;
    if (others.length === 0) throw thrown;
    for (const other of others) other.call(process, thrown, promise);
  };
  for (const other of others) process.removeListener(name, other);
  process.on(name, heard);
  return () => {
    process.removeListener(name, heard);
    for (const other of others) process.on(name, other);
  };
}

function onExit(listener: (code: number) => number | undefined): () => void {
  const heard = (code: number): void => {
    const better = listener(code);
    if (better !== undefined) process.exitCode = better;
  };
  process.on('exit', heard);
  return () => void process.removeListener('exit', heard);
}

// A stream is made when it is first asked for, and cannot be made over an output that somebody has closed.
function outputs(): readonly NodeJS.WriteStream[] {
  try {
    return [process.stdout, process.stderr];
  } catch {
    return [];
  }
}

/** `failflat status | head -1` must not end in a stack trace, and no reader may end a role or a drain. */
export function forgiveOutput(): void {
  for (const stream of outputs()) if (!stream.listeners('error').includes(forgive)) stream.on('error', forgive);
}

function forgive(): void {}

function unwrittenBytes(): number {
  return outputs().reduce((sum, { writableLength }) => sum + writableLength, 0);
}

// Once its stream has been made, a pipe takes what it can and never waits: a reader that has stopped must not stop the last word
// of a process, and with it its end.
function tell(line: string): void {
  try {
    unwrittenBytes();
    writeSync(2, `${line}\n`);
  } catch {
    // No reader, or one that does not read: nobody can be told.
  }
}

/** The code by which shells and service managers know the end by a signal. */
export function codeOfSignal(name: EndSignal): number {
  return 128 + (constants.signals[name] ?? 0);
}

/**
 * Ends the process by its own signal. The listeners of others are taken away first, as with any of them the signal would be
 * heard and not obeyed. The first process of a container ignores such a signal: it exits with 128 + the signal's number, and so
 * does one that is still there a moment later.
 */
export function endBySignal(name: EndSignal): void {
  if (process.pid === 1) exitNow(codeOfSignal(name));
  process.removeAllListeners(name);
  systemClock.setTimer(STUBBORN_MS, () => exitNow(codeOfSignal(name)));
  process.kill(process.pid, name);
}

export const systemProcess: ProcessEvents = {
  get hearsSignals() {
    return nodeWorkerThreads().isMainThread;
  },
  onSignal,
  listenersOf: (name) => process.listenerCount(name),
  onFault,
  onExit,
  forgiveOutput,
  unwrittenBytes,
  tell,
  endBySignal,
  exit: (code) => exitNow(code ?? Number(process.exitCode ?? 0)),
};
