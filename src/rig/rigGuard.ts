/** Ends a rig's processes and removes its directories when the rig itself is killed, so that no code of its own can. */
import { type ChildProcess, spawn } from 'node:child_process';

/** Reads what is started (`+`), what has ended (`-`) and which directory goes (`d`); at the end of its input it ends what is left. */
const SCRIPT = `
pids=""; directories=""
while read -r what which; do
  case "$what" in
    +) pids="$pids $which" ;;
    -) rest=""; for pid in $pids; do [ "$pid" = "$which" ] || rest="$rest $pid"; done; pids="$rest" ;;
    d) directories="$directories
$which" ;;
    q) exit 0 ;;
  esac
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
printf '%s\\n' "$directories" | while read -r directory; do [ -z "$directory" ] || rm -rf "$directory"; done
`;

export class RigGuard {
  readonly #guard: ChildProcess;

  constructor() {
    // In a session of its own: what a terminal sends to the whole group must not end the guard before the others.
    this.#guard = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    // Without a shell there is no guard, and the rig runs all the same.
    this.#guard.on('error', () => undefined);
    this.#guard.stdin?.on('error', () => undefined);
    this.#guard.unref();
  }

  started(pid: number): void {
    this.#tell(`+ ${pid}`);
  }

  /** At once: its id may be another's from then on. */
  ended(pid: number): void {
    this.#tell(`- ${pid}`);
  }

  directory(path: string): void {
    this.#tell(`d ${path}`);
  }

  /** The rig has tidied up by itself. */
  release(): void {
    this.#tell('q');
    this.#guard.stdin?.end();
  }

  #tell(line: string): void {
    this.#guard.stdin?.write(`${line}\n`);
  }
}
