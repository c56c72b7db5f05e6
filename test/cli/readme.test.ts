/** The bot of README, as it stands there, beside the real processes. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { messageOf } from '../../src/errors.js';
import { REPOSITORY } from '../package/packed.js';
import { readPage, snippetsOf } from '../package/snippets.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { Workspace } from './cli.js';

const SCALE = ['--scale', '4'];
const WAIT = { timeoutMs: 10_000 };

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

function botOfReadme(venueUrl: string): URL {
  const code = snippetsOf('README.md', readPage('README.md'))[0]?.code ?? '';
  // A package of its own, whatever lies around it.
  writeFileSync(workspace.path('package.json'), '{}');
  mkdirSync(workspace.path('node_modules'));
  symlinkSync(REPOSITORY, workspace.path('node_modules/failflat'));
  const here = code
    .replace('http://127.0.0.1:4000', venueUrl)
    .replace('./var/failflat', workspace.path('var/failflat'))
    .replace(' as const', '');
  writeFileSync(workspace.path('bot.mjs'), here);
  return new URL(`file://${workspace.path('bot.mjs')}`);
}

it('S1, L4: the bot of README is refused until trading is armed, trades, and is refused when its watchdog dies', {
  timeout: 60_000,
}, async () => {
  const { ready } = await workspace.role(['venue']);
  const url = ready.url ?? '';
  const at = ['--broker', `paper:${url}`, ...SCALE];
  const roles = await Promise.all(
    [
      ['exit-brain', ...at],
      ['watchdog', ...SCALE],
      ['exit-worker', ...at],
    ].map((args) => workspace.role(args)),
  );
  const bot = TestChild.node(botOfReadme(url));
  try {
    await bot.line(/^trading_halted /).catch((error: unknown) => expect.fail(`${messageOf(error)}\n${bot.errors}`));
    const armed = await workspace.run(['rearm', '--by', 'operator', '--reason', 'first start', ...SCALE]);
    expect(armed.code, armed.stderr).toBe(0);
    await bot.line(/status: 'filled'/);
    await roles[1]?.process.stop('SIGKILL');
    const from = bot.lines.length;
    await eventually(() => bot.lines.slice(from).find((line) => line.startsWith('lease_expired no watchdog is alive')), WAIT);
    expect(bot.errors).toBe('');
  } finally {
    await bot.kill();
  }
});
