/** One process of a service: started, signalled, and seen to end. */
import { spawn } from 'node:child_process';
import { messageOf } from '../errors.js';
import type { Service } from './service.js';

export interface ProcessEnd {
  /** In words: how it ended. */
  readonly how: string;
}

export interface ServiceProcess {
  /** Undefined: it could not be started. */
  readonly pid: number | undefined;
  /** Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  signal(signal: NodeJS.Signals): void;
}

export type StartProcess = (service: Service) => ServiceProcess;

/** It writes to the streams of this process. */
export const startProcess: StartProcess = ({ command: [program, ...words] }) => {
  const child = spawn(program, words, { stdio: 'inherit' });
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', (error) => resolve({ how: `could not be started: ${messageOf(error)}` }));
    child.once('exit', (code, signal) => resolve({ how: signal === null ? `code ${code}` : `signal ${signal}` }));
  });
  return { pid: child.pid, ended, signal: (signal) => void child.kill(signal) };
};
