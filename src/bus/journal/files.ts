/** What the journal asks of a file system: one call each, as the system offers them. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  unlinkSync,
  watch,
  writeSync,
} from 'node:fs';

/** Brings what was written to a file to the disk, and tells when that is done. */
export type FlushFile = (fd: number, done: (error: Error | null) => void) => void;

export interface FileStats {
  readonly size: number;
  /** How many names it has. */
  readonly nlink: number;
  readonly ino: number;
  readonly dev: number;
  readonly mtimeMs: number;
  readonly birthtimeMs: number;
  isDirectory(): boolean;
}

/**
 * `read` and `update`: one that exists, from its beginning. `append`: one that exists, at its end. `create` and `createAppend`: one
 * that does not exist yet, for its owner alone.
 */
export type OpenHow = 'read' | 'update' | 'append' | 'create' | 'createAppend';

/** Every call throws what the system says: an error with a `code` such as `ENOENT`, `EEXIST` or `ENOSPC`. */
export interface JournalFiles {
  open(path: string, how: OpenHow): number;
  close(fd: number): void;
  /** How many bytes came. */
  read(fd: number, into: Buffer, length: number, position: number): number;
  /** How many bytes fitted: a full disk may take a part. */
  write(fd: number, bytes: Buffer): number;
  readAll(path: string): Buffer;
  /** Undefined: nothing has this name. */
  stat(path: string): FileStats | undefined;
  statOpen(fd: number): FileStats;
  /** Sets when it was changed, in seconds of wall time. */
  stamp(fd: number, seconds: number): void;
  exists(path: string): boolean;
  list(path: string): readonly string[];
  link(from: string, to: string): void;
  unlink(path: string): void;
  /** For its owner alone; its parent must exist. */
  makeDirectory(path: string): void;
  realPath(path: string): string;
  /** Content and all that belongs to it; of a directory its names. */
  flush: FlushFile;
  /** The same; returns when it is done. */
  flushNow(fd: number): void;
  /** Calls `changed` when a name or a file in the directory changes, and `failed` when it will not any more. */
  watch(path: string, changed: () => void, failed: () => void): { close(): void };
}

const FLAGS: Readonly<Record<OpenHow, number>> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR,
  append: constants.O_WRONLY | constants.O_APPEND,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  createAppend: constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL,
};

/** The file system of this host. */
export const systemJournalFiles: JournalFiles = {
  open: (path, how) => openSync(path, FLAGS[how], 0o600),
  close: closeSync,
  read: (fd, into, length, position) => readSync(fd, into, 0, length, position),
  write: (fd, bytes) => writeSync(fd, bytes),
  readAll: (path) => readFileSync(path),
  stat: (path) => statSync(path, { throwIfNoEntry: false }),
  statOpen: (fd) => fstatSync(fd),
  stamp: (fd, seconds) => futimesSync(fd, seconds, seconds),
  exists: existsSync,
  list: (path) => readdirSync(path),
  link: linkSync,
  unlink: unlinkSync,
  makeDirectory: (path) => mkdirSync(path, { mode: 0o700 }),
  realPath: (path) => realpathSync(path),
  flush: fsync,
  flushNow: fsyncSync,
  watch: (path, changed, failed) => watch(path, { persistent: false }, changed).on('error', failed),
};
