/** Host names as some processes see them: files of their own in the place of the system's, in a mount namespace that ends with each of them. */
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Of a domain that nobody can register. */
export const BUS_NAME = 'bus.failflat.test';

/** Mounts the two files over the system's and becomes the program that follows. */
const SCRIPT = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"';

/** A name server on loopback that is none: what the file does not name, nobody knows. */
const NOBODY = 'nameserver 127.9.9.9\noptions timeout:1 attempts:1\n';

const LOOK_UP = `require('node:dns').lookup(process.argv[1], (error, address) => console.log(error?.code ?? address))`;
const LOOK_UP_MS = 10_000;

const run = promisify(execFile);

export class NameView {
  readonly #hosts: string;
  readonly #resolver: string;

  private constructor(hosts: string, resolver: string) {
    this.#hosts = hosts;
    this.#resolver = resolver;
  }

  /** Its files lie in a new directory below the given one; {@link BUS_NAME} is known at first. */
  static async in(parent: string): Promise<NameView> {
    const directory = await mkdtemp(join(parent, 'names-'));
    const view = new NameView(join(directory, 'hosts'), join(directory, 'resolv.conf'));
    await writeFile(view.#resolver, NOBODY);
    await view.know(true);
    return view;
  }

  /** What stands before a program that shall see these names: its words, the program behind them. The process id stays the same. */
  get launcher(): readonly string[] {
    return ['unshare', '--map-root-user', '--mount', 'sh', '-c', SCRIPT, 'sh', this.#hosts, this.#resolver];
  }

  /** Whether {@link BUS_NAME} can be looked up. In the file that is mounted: another one in its place would not be seen. */
  async know(isKnown: boolean): Promise<void> {
    await writeFile(this.#hosts, `127.0.0.1 localhost\n${isKnown ? `127.0.0.1 ${BUS_NAME}\n` : ''}`);
  }

  /** What the system answers a process with this view: an address, or the code of the error. */
  async lookUp(name: string = BUS_NAME): Promise<string> {
    const [program = '', ...words] = this.launcher;
    const node = [process.execPath, '--input-type=commonjs', '-e', LOOK_UP, name];
    const { stdout } = await run(program, [...words, ...node], { timeout: LOOK_UP_MS });
    return stdout.trim();
  }
}
