/** What the command line says about itself, and how it behaves towards terminals, pipes and readers that go away. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadCommands } from '../../src/cli/commands.js';
import { ENVIRONMENT_HELP } from '../../src/cli/help.js';
import { ENVIRONMENT_VARIABLES } from '../../src/process/environment.js';
import { Workspace } from './cli.js';

const REPOSITORY = join(import.meta.dirname, '../..');
const COMMANDS = await loadCommands();
let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());

describe('help', () => {
  it('lists every command, every environment variable and every exit code', async () => {
    const { code, stdout, stderr } = await workspace.run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name, summary } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 20)}`, 'm'));
    for (const name of ENVIRONMENT_VARIABLES) expect(stdout).toContain(`${name} `);
    expect(Object.keys(ENVIRONMENT_HELP)).toEqual([...ENVIRONMENT_VARIABLES]);
    for (const meaning of [0, 1, 2, 3]) expect(stdout).toMatch(new RegExp(`^ {2}${meaning} {2}\\w`, 'm'));
  });

  it.concurrent.each(COMMANDS.map(({ name }) => name))('%s --help names each of its options', async (name) => {
    const { code, stdout, stderr } = await workspace.run([...name.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of Object.keys(COMMANDS.find((command) => command.name === name)?.options ?? {}))
      expect(stdout).toContain(`  --${option}`);
  });

  it('no command at all is wrong usage', async () => {
    const { code, stdout, stderr } = await workspace.run([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: failflat COMMAND');
  });

  it('--version is that of the package', async () => {
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));
    expect(await workspace.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('output', () => {
  it('has no colours where no person watches', async () => {
    const { code, stdout } = await workspace.run(['status', '--observe', '1ms']);
    expect(code).toBe(0);
    expect(stdout).toContain('Trading: HALTED');
    expect(stdout).not.toContain('\u001b');
  });

  it('S13: a reader that goes away is no error', () => {
    const main = join(REPOSITORY, 'dist/cli/main.js');
    const script = `"${process.execPath}" "${main}" --help | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: workspace.directory });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });
});
