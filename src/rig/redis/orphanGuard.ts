/** Ends a process that would outlive the one that started it, however that one ends: also when no code of its own runs any more. */
import { spawn } from 'node:child_process';

/** Its standard input ends with the process that holds the other end. Nothing is ever written to it. */
const SCRIPT = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; rm -rf "$2"';

export interface OrphanGuard {
  /** To be called as soon as the guarded process has ended: its id may be another's from then on. */
  release(): void;
}

export function guardOrphan(pid: number, directory: string): OrphanGuard {
  // In a session of its own: what a terminal or a supervisor sends to the whole group must not end the guard before the others.
  const guard = spawn('sh', ['-c', SCRIPT, 'sh', String(pid), directory], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Without a shell there is no guard, and the server runs all the same.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  return {
    release: () => {
      // First the shell, so that it does not go on when its `cat` has read to the end.
      guard.kill('SIGKILL');
      guard.stdin.destroy();
    },
  };
}
