/** A new directory for one test. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'failflat-test-'));
}

/** One in memory where there is such a place: for tests of many flushes that are not about the disk. */
export function fastTemporaryDirectory(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'failflat-test-'));
}
