/** Real faults of the system, each in a process of its own that ends with it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const FOLLOW = fileURLToPath(new URL('../fixtures/killSwitch/follow.mjs', import.meta.url));
const INDEX = new URL('../../dist/index.js', import.meta.url).href;
const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'] as const;

const succeeds = (command: string, args: readonly string[]): boolean => spawnSync(command, args).status === 0;
const withoutWatches = (what: string): readonly string[] => [
  '-r',
  'sh',
  '-c',
  `echo 0 > /proc/sys/user/max_inotify_${what} && exec "$@"`,
  'sh',
];

describe('a file, while the system has nothing left', () => {
  let directory: string;
  let path: string;
  let child: TestChild | undefined;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory, 'halted');
    writeFileSync(path, '0');
  });
  afterEach(async () => {
    await child?.kill();
    child = undefined;
    rmSync(directory, { recursive: true, force: true });
  });

  /** How many answers were told that match. */
  const told = (one: TestChild, pattern: RegExp): number => one.lines.filter((line) => pattern.test(line)).length;

  it.for([
    ['watches', 'ENOSPC'],
    ['instances', 'EMFILE'],
  ] as const)('S3: without inotify %s (%s) each of 20 changes is seen by the poll', async ([what, code], context) => {
    const unshare = withoutWatches(what);
    if (!succeeds('unshare', [...unshare, 'true']))
      return context.skip(true, 'NOT TESTED HERE: a system without watches needs `unshare -r`');
    child = new TestChild('unshare', [...unshare, process.execPath, FOLLOW, path]);
    await child.line('ready');
    expect(told(child, new RegExp(`no watch is to be had: the kill switch is polled alone.*${code}`))).toBe(1);
    for (let round = 1; round <= 10; round += 1) {
      writeFileSync(path, '1');
      await eventually(() => child !== undefined && told(child, /^\{"halted":true.*says \\"1/) === round);
      writeFileSync(path, '0');
      await eventually(() => child !== undefined && told(child, /^\{"halted":false/) === round + 1);
    }
    child.signal('SIGTERM');
    expect(await child.end()).toBe(0);
  });

  it('S3: without a file descriptor to be had it halts, and is off again when there is one', async (context) => {
    if (!succeeds('prlimit', ['--nofile=256', 'true'])) return context.skip(true, 'NOT TESTED HERE: a limit on open files needs `prlimit`');
    child = new TestChild('prlimit', ['--nofile=256', process.execPath, FOLLOW, path]);
    await child.line('ready');
    child.signal('SIGUSR2');
    await child.line(/^\{"halted":true,"reason":".*cannot be read: EMFILE/);
    child.signal('SIGUSR2');
    await eventually(() => child !== undefined && told(child, /^\{"halted":false/) === 2);
  });

  it('S3: that may not be read halts, also when only its directory forbids it', async (context) => {
    const isRoot = process.getuid?.() === 0;
    const command = isRoot ? ['setpriv', ...NOBODY, process.execPath] : [process.execPath];
    const [program = '', ...args] = command;
    chmodSync(directory, 0o755);
    if (!succeeds(program, [...args, '--eval', `require('node:fs').readFileSync(${JSON.stringify(FOLLOW)})`]))
      return context.skip(true, 'NOT TESTED HERE: as root, a file that may not be read needs `setpriv`');
    child = new TestChild(program, [...args, FOLLOW, path]);
    await child.line('ready');
    await eventually(() => child !== undefined && told(child, /^\{"halted":false/) === 1);
    chmodSync(path, 0o000);
    await child.line(/^\{"halted":true,"reason":".*cannot be read: EACCES/);
    chmodSync(path, 0o644);
    await eventually(() => child !== undefined && told(child, /^\{"halted":false/) === 2);
    chmodSync(directory, 0o700);
    if (!isRoot) chmodSync(directory, 0o000);
    await eventually(() => child !== undefined && told(child, /^\{"halted":true,"reason":".*cannot be read: EACCES/) === 2);
    chmodSync(directory, 0o755);
    await eventually(() => child !== undefined && told(child, /^\{"halted":false/) === 3);
  });
});

describe('a process with a kill switch', () => {
  const run = (code: string) =>
    spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', `import { createKillSwitch, fileSource, functionSource } from '${INDEX}';\n${code}`],
      {
        encoding: 'utf8',
        timeout: 10_000,
      },
    );

  it('ends by itself, although nobody closed the switch', () => {
    const { status, stdout, stderr } = run(`
      const killSwitch = createKillSwitch({ sources: [fileSource(process.execPath), functionSource(() => new Promise(() => {}))] });
      await killSwitch.ready;
      console.log(killSwitch.isHalted());`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true\n', stderr: '' });
  });

  it('does not end before the switch is ready, although a source hangs', () => {
    const { status, stdout } = run(`
      const killSwitch = createKillSwitch({ sources: [functionSource(() => new Promise(() => {}), { name: 'hung' })], maxStalenessMs: 200 });
      await killSwitch.ready;
      console.log(killSwitch.state().reason);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'function:hung has not answered within 200 ms\n' });
  });
});
