/** Reads a file that may be anything by now, without ever waiting for it: a pipe, a directory, a device, gigabytes. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, systemCodeOf } from '../errors.js';
import { MAX_FILE_BYTES } from './options.js';
import { parseWord, type Word } from './parse.js';

// Without it, opening a pipe would wait for somebody who writes: a thread lost for good. Windows has neither.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const doubt = (reason: string): Word => ({ says: 'doubt', reason });

/** Never rejects: what cannot be read is doubt, and says why. */
export async function readHaltFile(path: string): Promise<Word> {
  try {
    const file = await open(path, FLAGS);
    try {
      return await wordOf(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    return doubt(systemCodeOf(error) === 'ENOENT' ? 'is missing' : `cannot be read: ${messageOf(error)}`);
  }
}

async function wordOf(file: FileHandle): Promise<Word> {
  const stats = await file.stat();
  if (stats.isDirectory()) return doubt('is a directory');
  if (!stats.isFile()) return doubt('is not a regular file');
  const bytes = await firstBytesOf(file);
  if (bytes.length > MAX_FILE_BYTES) return doubt(`is larger than ${MAX_FILE_BYTES} bytes`);
  const text = textOf(bytes);
  return text === undefined ? doubt('is not UTF-8 text') : parseWord(text);
}

/** All of a file that is small enough, and one byte more than that of any other. */
async function firstBytesOf(file: FileHandle): Promise<Uint8Array> {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    // The byte-order mark is kept, for the parser to find.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
