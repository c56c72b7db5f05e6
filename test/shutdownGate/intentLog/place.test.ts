import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isSamePlace, type Place, placeOf } from '../../../src/shutdownGate/intentLog/place.js';
import { fastTemporaryDirectory } from '../../support/temporaryDirectory.js';

const PLACE: Place = { dev: 1n, ino: 2n, birthtimeNs: 3n, ctimeNs: 4n };

it.each<[string, Partial<Place>, boolean]>([
  ['is the same after a file was made in it', { ctimeNs: 5n }, true],
  ['of another device is another', { dev: 9n }, false],
  ['of another number is another', { ino: 9n }, false],
  ['that was born at another time is another, although it bears the same number', { birthtimeNs: 9n, ctimeNs: 10n }, false],
  ['whose birth the system does not know is the same', { birthtimeNs: 9n, ctimeNs: 9n }, true],
  ['of another number is another, whether its birth is known or not', { ino: 9n, birthtimeNs: 9n, ctimeNs: 9n }, false],
])('a directory %s', (_what, now, same) => {
  expect(isSamePlace(PLACE, { ...PLACE, ...now })).toBe(same);
});

it('a real directory is told from the one that took its name, and not from itself', async () => {
  const directory = join(fastTemporaryDirectory(), 'log');
  mkdirSync(directory);
  writeFileSync(join(directory, 'one'), '');
  const before = await placeOf(directory);
  writeFileSync(join(directory, 'two'), '');
  expect(isSamePlace(before, await placeOf(directory))).toBe(true);
  rmSync(directory, { recursive: true });
  await expect(placeOf(directory)).rejects.toThrow('ENOENT');
  mkdirSync(`${directory}.other`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'one'), '');
  expect(isSamePlace(before, await placeOf(directory))).toBe(false);
  rmSync(join(directory, '..'), { recursive: true });
});
