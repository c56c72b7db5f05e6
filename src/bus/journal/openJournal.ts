/** Opens the journal in a directory, or makes it; says in one line why it cannot be kept there. */
import { fdatasync, linkSync, readdirSync, readFileSync, realpathSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../../clock.js';
import { messageOf, systemCodeOf } from '../../errors.js';
import { hostIdentity } from '../../host.js';
import { isolatedLogger, type Logger } from '../../logger.js';
import { type Random, systemRandom } from '../../random.js';
import { type Bus, BusUnsuitableError } from '../bus.js';
import { Wakeups } from '../waiting.js';
import { type FlushFile, FORMAT_FILE, type JournalContext, LEFTOVER_AGE_MS, makeDirectories } from './context.js';
import { JournalBus } from './journalBus.js';
import { newGeneration, writerHasEnded } from './names.js';
import { mustBeLocal, type PlaceProbe, systemPlace } from './suitability.js';

export interface JournalOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** The replaceable parts, for tests. */
export interface JournalParts {
  readonly place: PlaceProbe;
  readonly leftoverAgeMs: number;
  readonly flushFile: FlushFile;
}

export const intactJournalParts: JournalParts = { place: systemPlace, leftoverAgeMs: LEFTOVER_AGE_MS, flushFile: fdatasync };

const FORMAT_VERSION = 1;

/** Opens `directory` as a journal. Throws {@link BusUnsuitableError} where none can be kept. */
export function openJournal(directory: string, options: JournalOptions = {}): Promise<Bus> {
  return assembleJournal(directory, options, intactJournalParts);
}

export async function assembleJournal(directory: string, options: JournalOptions, parts: JournalParts): Promise<Bus> {
  const random = options.random ?? systemRandom;
  const root = prepare(resolve(directory), random, parts.place);
  const closing = new AbortController();
  const context: JournalContext = {
    root,
    clock: options.clock ?? systemClock,
    random,
    logger: isolatedLogger(options.logger),
    generation: newGeneration(random),
    boot: hostIdentity().bootId,
    closing: closing.signal,
    closed: new Wakeups(),
    leftoverAgeMs: parts.leftoverAgeMs,
    flushFile: parts.flushFile,
  };
  removeLeftovers(context);
  const bus = new JournalBus(`journal:${directory}`, context, () => closing.abort());
  const probe = await bus.probe();
  if (probe.ok) return bus;
  await bus.close();
  throw new BusUnsuitableError(`${root}: cannot be written: ${probe.detail}`);
}

/** Every way in which a place is unfit ends in one line that names it. */
function prepare(path: string, random: Random, place: PlaceProbe): string {
  const existing = statOf(path);
  if (existing !== undefined && !existing.isDirectory()) throw new BusUnsuitableError(`${path}: is not a directory`);
  try {
    makeDirectories(path);
    const root = realpathSync(path);
    mustBeLocal(root, place);
    for (const part of ['streams', 'groups', 'latches', 'tmp', 'probe']) makeDirectories(join(root, part));
    checkFormat(root, random);
    return root;
  } catch (error) {
    if (error instanceof BusUnsuitableError) throw error;
    throw new BusUnsuitableError(`${path}: ${unfit(error)}`, { cause: error });
  }
}

function statOf(path: string): ReturnType<typeof statSync> | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
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

function checkFormat(root: string, random: Random): void {
  const path = join(root, FORMAT_FILE);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) writeFormat(root, path, random);
  let format: unknown;
  try {
    format = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BusUnsuitableError(`${path}: cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
  const { failflat, identity } = typeof format === 'object' && format !== null ? (format as Partial<Record<string, unknown>>) : {};
  if (failflat !== FORMAT_VERSION || typeof identity !== 'string') {
    throw new BusUnsuitableError(`${path}: format ${JSON.stringify(failflat)}: this version reads ${FORMAT_VERSION}`);
  }
}

// Linked and not written in place: of two that open a new journal at once one names it, and neither reads half a file.
function writeFormat(root: string, path: string, random: Random): void {
  const identity = random.id();
  const temporary = join(root, 'tmp', newGeneration(random));
  writeFileSync(temporary, `${JSON.stringify({ failflat: FORMAT_VERSION, identity })}\n`, { flag: 'wx', mode: 0o600, flush: true });
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function removeLeftovers({ root, logger }: JournalContext): void {
  for (const part of ['tmp', 'probe']) {
    for (const name of readdirSync(join(root, part))) {
      if (!writerHasEnded(name.split('.')[0] ?? '')) continue;
      try {
        unlinkSync(join(root, part, name));
      } catch (error) {
        logger.debug({ name, error: messageOf(error) }, 'could not remove what a dead process left');
      }
    }
  }
}
