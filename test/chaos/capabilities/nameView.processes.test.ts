/** Names of their own for some processes: they forget and remember a name, and the host’s own names never change. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PROBES } from '../../../src/chaos/capabilities/probes.js';
import { NameView } from '../../../src/rig/nameView.js';

const probe = PROBES.find(({ name }) => name === 'private-names');
const found = await probe?.look();

it.runIf(found?.status === 'works')('a process with names of its own loses one, and finds it again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'failflat-names-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const before = readFileSync('/etc/hosts', 'utf8');
  const names = await NameView.in(directory);
  expect(await names.lookUp()).toBe('127.0.0.1');
  await names.know(false);
  expect(await names.lookUp()).toMatch(/^(EAI_AGAIN|ENOTFOUND|EAI_FAIL)$/);
  await names.know(true);
  expect(await names.lookUp()).toBe('127.0.0.1');
  expect(readFileSync('/etc/hosts', 'utf8')).toBe(before);
});
