import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHaltFile } from '../../src/killSwitch/readHaltFile.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

describe('a file', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory, 'halted');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const reading = (content: string | Uint8Array) => {
    writeFileSync(path, content);
    return readHaltFile(path);
  };

  it('is what it says', async () => {
    expect(await reading('0\n')).toEqual({ says: 'off' });
    expect(await reading('TRUE\r\n')).toEqual({ says: 'halted', reason: 'says "TRUE"' });
    expect(await reading('')).toEqual({ says: 'doubt', reason: 'is empty' });
  });

  it('S3: is doubt where it is not UTF-8, and keeps its byte-order mark', async () => {
    expect(await reading(Buffer.from([0x30, 0xff]))).toEqual({ says: 'doubt', reason: 'is not UTF-8 text' });
    expect(await reading(Buffer.from('\uFEFF0', 'utf16le'))).toEqual({ says: 'doubt', reason: 'is not UTF-8 text' });
    expect(await reading(Buffer.from([0x00, 0x30]))).toEqual({
      says: 'doubt',
      reason: 'says "\\u00000", which is not one of 0, false, no, off',
    });
    expect(await reading(Buffer.from([0xc0, 0xb0]))).toEqual({ says: 'doubt', reason: 'is not UTF-8 text' });
    expect(await reading('\uFEFF0')).toEqual({ says: 'doubt', reason: 'begins with a byte-order mark' });
  });

  it('S3: may be 1,024 bytes long and no longer, whatever follows', async () => {
    expect(await reading(`0${' '.repeat(1_023)}`)).toEqual({ says: 'off' });
    expect(await reading(`0${' '.repeat(1_024)}`)).toEqual({ says: 'doubt', reason: 'is larger than 1024 bytes' });
    writeFileSync(path, '0');
    truncateSync(path, 1_000_000_000_000);
    expect(await readHaltFile(path)).toEqual({ says: 'doubt', reason: 'is larger than 1024 bytes' });
  });

  it('S3: is doubt where it is missing, no file, or at the end of a link that leads nowhere or to itself', async () => {
    expect(await readHaltFile(path)).toEqual({ says: 'doubt', reason: 'is missing' });
    mkdirSync(path);
    expect(await readHaltFile(path)).toEqual({ says: 'doubt', reason: 'is a directory' });
    expect(await readHaltFile(join(directory, 'dangling/halted'))).toEqual({ says: 'doubt', reason: 'is missing' });
    symlinkSync('loop', join(directory, 'loop'));
    symlinkSync('nowhere', join(directory, 'dangling'));
    expect(await readHaltFile(join(directory, 'dangling'))).toEqual({ says: 'doubt', reason: 'is missing' });
    const problems = [join(directory, 'loop'), join(directory, 'x'.repeat(300)), join(path, '..', 'nobody', '\0')];
    const words = await Promise.all(problems.map(readHaltFile));
    expect(words.map(({ says }) => says)).toEqual(['doubt', 'doubt', 'doubt']);
    expect(words[0]).toMatchObject({ reason: expect.stringContaining('cannot be read: ELOOP') as unknown });
    expect(words[1]).toMatchObject({ reason: expect.stringContaining('cannot be read: ENAMETOOLONG') as unknown });
    writeFileSync(join(directory, 'plain'), '0');
    expect(await readHaltFile(join(directory, 'plain', 'halted'))).toMatchObject({
      reason: expect.stringContaining('cannot be read: ENOTDIR') as unknown,
    });
  });

  it.skipIf(process.platform === 'win32')('S3: that became a pipe or a socket is doubt at once: nobody is waited for', async () => {
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    expect(await readHaltFile(path)).toEqual({ says: 'doubt', reason: 'is not a regular file' });
    const socket = join(directory, 'socket');
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(socket, resolve);
    });
    expect(await readHaltFile(socket)).toMatchObject({ says: 'doubt', reason: expect.stringContaining('cannot be read: ') as unknown });
    server.close();
  });

  it.runIf(existsSync('/dev/zero'))('S3: that is a device without an end is doubt', async () => {
    for (const device of ['/dev/zero', '/dev/null']) {
      expect(await readHaltFile(device)).toEqual({ says: 'doubt', reason: 'is not a regular file' });
    }
  });

  it.runIf(existsSync('/proc/self/mem'))('S3: that fails while it is read is doubt, and leaves no file open', async () => {
    expect(await readHaltFile('/proc/self/mem')).toMatchObject({
      says: 'doubt',
      reason: expect.stringContaining('cannot be read: EIO') as unknown,
    });
  });

  it.runIf(existsSync('/proc/self/fd'))('leaves no file open, whatever it was', async () => {
    const openFiles = () =>
      spawnSync('ls', [`/proc/${process.pid}/fd`], { encoding: 'utf8' })
        .stdout.trim()
        .split('\n').length;
    writeFileSync(path, '0');
    const before = openFiles();
    for (let count = 0; count < 50; count += 1) for (const one of [path, directory, '/proc/self/mem', '/dev/null']) await readHaltFile(one);
    expect(openFiles()).toBeLessThan(before + 20);
  });
});
