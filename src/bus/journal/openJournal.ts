/** Opens the journal in a directory, or makes it; says in one line why it cannot be kept there. */
import { fdatasync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../../clock.js';
import { messageOf, systemCodeOf } from '../../errors.js';
import { isolatedLogger, type Logger } from '../../logger.js';
import { type Random, systemRandom } from '../../random.js';
import { type Bus, BusUnsuitableError } from '../bus.js';
import { Wakeups } from '../waiting.js';
import { FORMAT_FILE, type JournalContext, LEFTOVER_AGE_MS, makeDirectories, POLL_MS } from './context.js';
import { type FileStats, type FlushFile, type JournalFiles, systemJournalFiles } from './files.js';
import { JournalBus } from './journalBus.js';
import { type JournalHost, newGeneration, systemHost, writerHasEnded } from './names.js';
import { mustBeLocal, type PlaceProbe, systemPlace } from './suitability.js';

export interface JournalOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** The replaceable parts, for tests and simulations. */
export interface JournalParts {
  readonly place: PlaceProbe;
  readonly leftoverAgeMs: number;
  readonly pollMs: number;
  readonly files: JournalFiles;
  readonly flushFile: FlushFile;
  /** Where this process lives. */
  readonly host: () => JournalHost;
}

export const intactJournalParts: JournalParts = {
  place: systemPlace,
  leftoverAgeMs: LEFTOVER_AGE_MS,
  pollMs: POLL_MS,
  files: systemJournalFiles,
  flushFile: fdatasync,
  host: systemHost,
};

const FORMAT_VERSION = 1;

interface Ground {
  readonly files: JournalFiles;
  readonly host: JournalHost;
  readonly random: Random;
}

/** Opens `directory` as a journal. Throws {@link BusUnsuitableError} where none can be kept. */
export function openJournal(directory: string, options: JournalOptions = {}): Promise<Bus> {
  return assembleJournal(directory, options, intactJournalParts);
}

export async function assembleJournal(directory: string, options: JournalOptions, parts: JournalParts): Promise<Bus> {
  const random = options.random ?? systemRandom;
  const { place, leftoverAgeMs, pollMs, files, flushFile } = parts;
  const host = parts.host();
  const ground: Ground = { files, host, random };
  const root = prepare(resolve(directory), ground, place);
  const closing = new AbortController();
  const context: JournalContext = {
    root,
    clock: options.clock ?? systemClock,
    random,
    logger: isolatedLogger(options.logger),
    generation: newGeneration(host, random),
    host,
    closing: closing.signal,
    closed: new Wakeups(),
    leftoverAgeMs,
    pollMs,
    files,
    flushFile,
  };
  removeLeftovers(context);
  const bus = new JournalBus(`journal:${directory}`, context, () => closing.abort());
  const probe = await bus.probe();
  if (probe.ok) return bus;
  await bus.close();
  throw new BusUnsuitableError(`${root}: cannot be written: ${probe.detail}`);
}

/** Every way in which a place is unfit ends in one line that names it. */
function prepare(path: string, ground: Ground, place: PlaceProbe): string {
  const { files } = ground;
  const existing = statOf(files, path);
  if (existing !== undefined && !existing.isDirectory()) throw new BusUnsuitableError(`${path}: is not a directory`);
  try {
    makeDirectories(files, path);
    const root = files.realPath(path);
    mustBeLocal(root, place);
    for (const part of ['streams', 'groups', 'latches', 'tmp', 'probe']) makeDirectories(files, join(root, part));
    checkFormat(root, ground);
    return root;
  } catch (error) {
    if (error instanceof BusUnsuitableError) throw error;
    throw new BusUnsuitableError(`${path}: ${unfit(error)}`, { cause: error });
  }
}

function statOf(files: JournalFiles, path: string): FileStats | undefined {
  try {
    return files.stat(path);
  } catch (error) {
    throw new BusUnsuitableError(`${path}: ${unfit(error)}`, { cause: error });
  }
}

function unfit(error: unknown): string {
  const code = systemCodeOf(error);
  if (code === 'EROFS') return 'stands on a read-only file system';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to write here';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file stands where a directory is needed';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'no space is left';
  return messageOf(error);
}

function checkFormat(root: string, ground: Ground): void {
  const { files } = ground;
  const path = join(root, FORMAT_FILE);
  if (files.stat(path) === undefined) writeFormat(root, path, ground);
  let format: unknown;
  try {
    format = JSON.parse(files.readAll(path).toString('utf8'));
  } catch (error) {
    throw new BusUnsuitableError(`${path}: cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
  const { failflat, identity } = typeof format === 'object' && format !== null ? (format as Partial<Record<string, unknown>>) : {};
  if (failflat !== FORMAT_VERSION || typeof identity !== 'string') {
    throw new BusUnsuitableError(`${path}: format ${JSON.stringify(failflat)}: this version reads ${FORMAT_VERSION}`);
  }
}

// Linked and not written in place: of two that open a new journal at once one names it, and neither reads half a file.
function writeFormat(root: string, path: string, { files, host, random }: Ground): void {
  const identity = random.id();
  const temporary = join(root, 'tmp', newGeneration(host, random));
  const bytes = Buffer.from(`${JSON.stringify({ failflat: FORMAT_VERSION, identity })}\n`);
  const fd = files.open(temporary, 'create');
  try {
    if (files.write(fd, bytes) < bytes.length) throw new Error('no space is left');
    files.flushNow(fd);
  } finally {
    files.close(fd);
  }
  try {
    files.link(temporary, path);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  } finally {
    files.unlink(temporary);
  }
}

function removeLeftovers({ root, logger, files, host }: JournalContext): void {
  for (const part of ['tmp', 'probe']) {
    for (const name of files.list(join(root, part))) {
      if (!writerHasEnded(host, name.split('.')[0] ?? '')) continue;
      try {
        files.unlink(join(root, part, name));
      } catch (error) {
        logger.debug({ name, error: messageOf(error) }, 'could not remove what a dead process left');
      }
    }
  }
}
