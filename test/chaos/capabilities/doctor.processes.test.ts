/** The doctor on this very host: what it says works was really done, and nothing of it is left. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CAPABILITIES } from '../../../src/chaos/capabilities/capability.js';
import { Workspace } from '../../cli/cli.js';

const SAID = z.object({
  platform: z.string(),
  root: z.boolean(),
  capabilities: z.array(
    z.object({
      name: z.enum(CAPABILITIES),
      fault: z.string().min(1),
      root: z.string().min(1),
      status: z.enum(['works', 'needs_root', 'absent', 'failed']),
      detail: z.string().min(1),
      tookMs: z.number().min(0),
    }),
  ),
});

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('failflat-doctor-'));

describe('failflat doctor', () => {
  it('tells of every capability, and leaves nothing behind', async () => {
    const before = leftovers();
    const { code, stdout } = await workspace.run(['doctor', '--json']);
    expect(code).toBe(0);
    const { capabilities, platform } = SAID.parse(JSON.parse(stdout));
    expect(capabilities.map(({ name }) => name)).toEqual([...CAPABILITIES]);
    const statusOf = new Map(capabilities.map(({ name, status }) => [name, status]));
    expect(statusOf.get('tcp-proxy')).toBe('works');
    if (platform === 'linux')
      for (const name of ['signals', 'proc', 'memory-limit'] as const) expect(statusOf.get(name), name).toBe('works');
    expect(leftovers()).toEqual(before);
  }, 60_000);

  it('tells people as well', async () => {
    const { code, stdout } = await workspace.run(['doctor']);
    expect(code).toBe(0);
    for (const name of CAPABILITIES) expect(stdout).toMatch(new RegExp(`(works|needs root|not here|FAILED) +${name} `));
  }, 60_000);
});
