/** Which host, boot and process this is: what a holder registers, and what a monotonic reading is worth elsewhere. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCodeOf } from './errors.js';

export interface HostIdentity {
  readonly host: string;
  /** Changes at each boot. Monotonic readings compare only between equal boot ids. */
  readonly bootId: string;
  readonly pid: number;
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Not Linux: no boot id is to be had without a child process, so readings never compare with another host's.
    return `unknown-${hostname()}`;
  }
}

let known: HostIdentity | undefined;

export function hostIdentity(): HostIdentity {
  known ??= { host: hostname(), bootId: readBootId(), pid: process.pid };
  return known;
}

/** True only where it is sure that no process of this host and process namespace has this id any more. */
export function processHasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Anything else, like a process of another user, is one that lives.
    return systemCodeOf(error) === 'ESRCH';
  }
}
