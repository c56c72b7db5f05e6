/** Where a journal can be kept, and what happens where it cannot. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusUnsuitableError, FROM_START } from '../../src/bus/bus.js';
import { assembleJournal, intactJournalParts, openJournal } from '../../src/bus/journal/openJournal.js';
import { networkFileSystem, type PlaceProbe } from '../../src/bus/journal/suitability.js';
import { TestChild } from '../support/childProcess.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const FILL = new URL('../fixtures/bus/fill.mjs', import.meta.url);
const OPEN = new URL('../fixtures/bus/open.mjs', import.meta.url);
const canUnshare = spawnSync('unshare', ['-rm', 'true']).status === 0;
const canLimit = spawnSync('prlimit', ['--fsize=1000000', 'true']).status === 0;

async function refusalOf(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BusUnsuitableError);
  const message = error instanceof Error ? error.message : '';
  expect(message).not.toContain('\n');
  return message;
}

describe('the place of a journal', () => {
  let directory: string;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true, force: true });
  });

  it('is made for its owner alone', async () => {
    const path = join(directory, 'a', 'journal');
    const bus = await openJournal(path);
    await bus.append('s', { v: '1' });
    await bus.append('s', { v: '2' }, { idempotencyKey: 'k' });
    await bus.latch('state').compareAndSet(0, { v: '1' });
    await (await bus.group('s', 'g').next('a', { minIdleMs: 1 }))?.renew();
    const listing = spawnSync('find', [path, '-printf', '%y %m %p\\n'], { encoding: 'utf8' }).stdout.trim().split('\n');
    expect(listing.length).toBeGreaterThan(10);
    expect(listing.filter((line) => !line.startsWith('d 700 ') && !line.startsWith('f 600 '))).toEqual([]);
    await bus.close();
  });

  it.runIf(existsSync('/proc/sys'))('is refused at once, and never waited for, where the system takes no directories', () => {
    const { status, signal, stdout } = spawnSync(process.execPath, [OPEN.pathname, '/proc/sys/failflat/below'], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(stdout).toContain('/proc/sys/failflat');
  });

  it('cannot be a file, nor hold a file where a directory is needed, nor be of another format', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(await refusalOf(openJournal(file))).toBe(`${file}: is not a directory`);
    expect(await refusalOf(openJournal(join(file, 'below')))).toContain('a file stands where a directory is needed');
    const other = join(directory, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'streams'), '');
    expect(await refusalOf(openJournal(other))).toContain('a file stands where a directory is needed');
    const newer = join(directory, 'newer');
    mkdirSync(newer);
    writeFileSync(join(newer, 'journal.json'), '{"failflat":2,"identity":"x"}');
    expect(await refusalOf(openJournal(newer))).toContain('format 2: this version reads 1');
    writeFileSync(join(newer, 'journal.json'), '');
    expect(await refusalOf(openJournal(newer))).toContain('cannot be read as JSON');
  });

  it('cannot be on a network file system', async () => {
    const place = (type: number, mounts = ''): PlaceProbe => ({ platform: 'linux', fileSystemType: () => type, mounts: () => mounts });
    for (const [type, name] of [
      [0x6969, 'NFS'],
      [0xff534d42, 'CIFS'],
      [0xff534d42 | 0, 'CIFS'],
      [0xfe534d42, 'SMB2'],
      [0x01021997, '9P'],
    ] as const) {
      expect(await refusalOf(assembleJournal(directory, {}, { ...intactJournalParts, place: place(type) }))).toContain(
        `network file system (${name})`,
      );
    }
    const mounts =
      '22 1 0:20 / / rw - ext4 /dev/vda rw\n23 22 0:21 / /data rw shared:1 - fuse.sshfs host:/x rw\n24 22 0:22 / /data/here rw - fuse.mergerfs x rw';
    expect(networkFileSystem('/data/journal', place(0x65735546, mounts))).toBe('fuse.sshfs');
    expect(networkFileSystem('/data/here/journal', place(0x65735546, mounts))).toBeUndefined();
    expect(networkFileSystem('/database', place(0x65735546, mounts))).toBeUndefined();
    expect(networkFileSystem('/', place(0xef53))).toBeUndefined();
    const unknown: PlaceProbe = {
      ...place(0),
      fileSystemType: () => {
        throw new Error('no statfs');
      },
    };
    expect(await refusalOf(assembleJournal(directory, {}, { ...intactJournalParts, place: unknown }))).toContain('cannot tell');
  });

  it('cannot be read-only', async (context) => {
    if (!canUnshare) return context.skip(true, 'NOT TESTED HERE: a read-only mount needs `unshare -rm`');
    const opened = await openJournal(directory);
    await opened.close();
    const mount = `mount --bind ${directory} ${directory} && mount -o remount,bind,ro ${directory} && exec "$@"`;
    const child = new TestChild('unshare', ['-rm', 'sh', '-c', mount, 'sh', process.execPath, FILL.pathname, directory, '1']);
    expect(await child.end()).toBe(1);
    expect(child.errors).toMatch(/BusUnsuitableError: .*(read-only|EROFS)/);
  });

  function judgeFilled(child: TestChild): void {
    const words = child.lines.map((line) => line.split(' '));
    const appends = words.filter(([first]) => /^\d+$/.test(first ?? ''));
    const committed = appends.filter(([, outcome]) => outcome === 'committed');
    const others = appends.filter(([, outcome]) => outcome !== 'committed');
    expect(others.filter(([, outcome, reason]) => outcome !== 'refused' || reason !== 'no_space')).toEqual([]);
    expect(words.find(([first]) => first === 'read')).toEqual(['read', String(committed.length), committed.at(-1)?.[0]]);
    expect(child.lines).toContain('probe true');
  }

  it('that is full refuses with no_space, loses nothing that was acknowledged, and still answers', async (context) => {
    if (!canUnshare) return context.skip(true, 'NOT TESTED HERE: a small disk needs `unshare -rm`');
    const script = `mount -t tmpfs -o size=1m none ${directory} && exec "$@"`;
    const child = new TestChild('unshare', [
      '-rm',
      'sh',
      '-c',
      script,
      'sh',
      process.execPath,
      FILL.pathname,
      join(directory, 'j'),
      '2000',
    ]);
    expect(await child.end(), child.errors).toBe(0);
    judgeFilled(child);
    expect(child.lines.filter((line) => line.endsWith('refused no_space')).length).toBeGreaterThanOrEqual(50);
    expect(child.lines).toContain('latch refused no_space');
  });

  it('goes on in a new file where a file may grow no more', async (context) => {
    if (!canLimit) return context.skip(true, 'NOT TESTED HERE: a limit on the size of files needs `prlimit`');
    const child = new TestChild('prlimit', ['--fsize=100000', process.execPath, FILL.pathname, directory, '200']);
    expect(await child.end(), child.errors).toBe(0);
    judgeFilled(child);
    expect(child.lines.filter((line) => line.includes(' committed')).length).toBeGreaterThan(180);
  });

  it('that was deleted is unavailable, is not made again by a handle, and a new one there has another identity', async () => {
    const bus = await openJournal(directory);
    const first = await bus.probe();
    await bus.append('exit_brain:heartbeat', { v: '1' });
    rmSync(directory, { recursive: true });
    expect((await bus.append('exit_brain:heartbeat', { v: '2' })).outcome).not.toBe('committed');
    expect((await bus.append('exit_brain:heartbeat', { v: '3' })).outcome).not.toBe('committed');
    expect(await bus.probe()).toMatchObject({ ok: false });
    expect(existsSync(directory)).toBe(false);
    const successor = await openJournal(directory);
    const second = await bus.probe();
    expect(first.ok && second.ok && first.identity !== second.identity).toBe(true);
    expect(await bus.append('exit_brain:heartbeat', { v: '4' })).toMatchObject({ outcome: 'committed' });
    const { records } = await successor.read('exit_brain:heartbeat', FROM_START);
    expect(records.map((record) => record.fields['v'])).toEqual(['4']);
    await bus.close();
    await successor.close();
  });

  it('does not call committed what went into a file that was deleted under its writer', async () => {
    const bus = await openJournal(directory);
    await bus.append('exit_brain:heartbeat', { v: '1' });
    rmSync(join(directory, 'streams', 'exit_brain:heartbeat'), { recursive: true });
    mkdirSync(join(directory, 'streams', 'exit_brain:heartbeat'));
    expect(['unknown', 'refused']).toContain((await bus.append('exit_brain:heartbeat', { v: '2' })).outcome);
    expect(await bus.append('exit_brain:heartbeat', { v: '3' })).toMatchObject({ outcome: 'committed' });
    await bus.close();
  });

  it('that was moved away takes no more heartbeats for long', async () => {
    const path = join(directory, 'journal');
    const bus = await openJournal(path);
    await bus.append('exit_brain:heartbeat', { v: '1' });
    renameSync(path, `${path}.moved`);
    expect(await bus.probe()).toMatchObject({ ok: false });
    const outcome = await bus.append('exit_brain:heartbeat', { v: '2' });
    expect(outcome).toMatchObject({ outcome: 'refused' });
    await bus.close();
    expect(statSync(join(`${path}.moved`, 'journal.json')).isFile()).toBe(true);
  });

  it('writes records that a person can read', async () => {
    const bus = await openJournal(directory);
    const outcome = await bus.append('exit_brain:heartbeat', { v: '1' }, { key: 'brain' });
    const file = outcome.outcome === 'committed' ? outcome.id.split('@')[0] : '';
    const text = readFileSync(join(directory, 'streams', 'exit_brain:heartbeat', `${file}.log`), 'utf8');
    expect(text).toMatch(/^\n\d+ [0-9a-f]{8} \{"at":.*"fields":\{"v":"1"\}\}$/);
    await bus.close();
  });
});
