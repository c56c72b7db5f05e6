/** Whatever is wrong with what an operator gives: one clear line that names field, value and bound, and exit code 2. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, type Env, Workspace } from './cli.js';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
  writeFileSync(workspace.path('not-a-broker.mjs'), 'export default { identity() {} };\n');
  writeFileSync(workspace.path('no-default.mjs'), 'export const broker = 1;\n');
  writeFileSync(workspace.path('broken.mjs'), 'export default {;\n');
  writeFileSync(workspace.path('no-function.mjs'), 'export default 1;\n');
  writeFileSync(workspace.path('bars.csv'), 'open_time_ms,open,high,low,close,volume\n1440000000000,100,101,99,abc,5\n');
  writeFileSync(workspace.path('a-file'), 'not a directory\n');
  mkdirSync(workspace.path('foreign'));
  writeFileSync(workspace.path('foreign/journal.json'), '{"failflat":99,"identity":"x"}\n');
});
afterAll(() => workspace.remove());

/** The line that says what is wrong, with a hint below it and nothing else. */
function complaint({ code, stderr, stdout }: Ended): string {
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
  const lines = stderr.trimEnd().split('\n');
  expect(lines, stderr).toHaveLength(2);
  expect(lines[1]).toMatch(/^Try: failflat/);
  return lines[0] ?? '';
}

const VENUE = 'paper:http://127.0.0.1:9';
const worker = (...args: string[]) => ['exit-worker', '--broker', VENUE, ...args];

const CASES: readonly (readonly [what: string, given: readonly string[], says: string, env?: Env])[] = [
  ['an unknown command', ['frobnicate'], 'command = "frobnicate": must be one of '],
  ['an unknown option', ['watchdog', '--frob', '1'], 'option = "--frob": is not known here: one of --bus'],
  ['an option without its value', ['watchdog', '--id'], '--id = undefined: needs a value'],
  ['a switch with a value', ['status', '--json=yes'], '--json = "yes": is a switch'],
  ['an argument too many', ['halt', 'now'], 'argument = "now": is not expected'],
  ['an option given twice', ['halt', '--by', 'operator', '--by', 'desk'], '--by = ["operator", "desk"]: must be given only once'],
  ['an empty text', ['halt', '--reason', ''], '--reason = "": must be a text that is not empty'],
  ['a number that is none', ['watchdog', '--scale', 'fast'], '--scale = "fast": must be a number between 1 and 25'],
  ['a number out of bounds', ['watchdog', '--scale', '0.5'], '--scale = "0.5": must be a number between 1 and 25'],
  [
    'a duration without a unit',
    ['status', '--observe', '500'],
    '--observe = "500": must be a duration, like 750ms, 90s or 2m, between 1ms and',
  ],
  ['a duration out of bounds', ['status', '--observe', '2h'], '--observe = "2h": must be a duration'],
  ['a word that is none of those allowed', ['watchdog', '--log-level', 'loud'], '--log-level = "loud": must be one of debug'],
  ['a bus of an unknown scheme', ['status', '--bus', 'ftp://x'], '--bus = "ftp://x": must be journal:<directory>'],
  ['a bus without a directory', ['status', '--bus', 'journal:'], '--bus = "journal:": must name a directory'],
  [
    'a bus that no other process shares',
    ['watchdog', '--bus', 'memory:x'],
    '--bus = "memory:x": must be a bus that several processes share',
  ],
  ['a bus from the environment', ['status'], 'FAILFLAT_BUS = "ftp://x": must be journal:<directory>', { FAILFLAT_BUS: 'ftp://x' }],
  ['an empty bus in the environment', ['status'], 'FAILFLAT_BUS = "": must be a text that is not empty', { FAILFLAT_BUS: '' }],
  ['no broker', ['exit-worker'], '--broker = undefined: must be given'],
  [
    'a broker of an unknown scheme',
    ['exit-worker', '--broker', 'ccxt:binance'],
    '--broker = "ccxt:binance": must be paper:http://HOST:PORT',
  ],
  [
    'a venue without a port',
    ['exit-brain', '--broker', 'paper:http://venue'],
    '--broker = "paper:http://venue": must be an http URL with a port',
  ],
  ['a broker from the environment', ['exit-brain'], 'FAILFLAT_BROKER = "ccxt:x": must be paper:', { FAILFLAT_BROKER: 'ccxt:x' }],
  [
    'a broker module that is not there',
    ['exit-worker', '--broker', './gone.mjs'],
    '--broker = "./gone.mjs": must be a module that exists: there is no /',
  ],
  [
    'a broker module that does not load',
    ['exit-worker', '--broker', './broken.mjs'],
    '--broker = "./broken.mjs": must be a module that loads',
  ],
  [
    'a broker module without a default export',
    ['exit-worker', '--broker', './no-default.mjs'],
    'must have a default export that is a broker',
  ],
  [
    'a broker module that is no broker',
    ['exit-worker', '--broker', './not-a-broker.mjs'],
    'a factory of one: it lacks capabilities, positions',
  ],
  ['an account that is no name', worker('--account', 'a b'), '--account = "a b": must be 1 to 100 letters'],
  ['an account from the environment', worker(), 'FAILFLAT_ACCOUNT = "a/b": must be 1 to 100 letters', { FAILFLAT_ACCOUNT: 'a/b' }],
  ['an alert webhook that is no URL', worker('--alert-webhook', 'ftp://x'), '--alert-webhook = "ftp://x": must be an http or https URL'],
  [
    'a memory file below a file',
    worker('--memory-file', 'a-file/memory.json'),
    '--memory-file = "a-file/memory.json": must stand in a directory',
  ],
  [
    'a decide module that is not there',
    ['exit-brain', '--broker', VENUE, '--decide', './gone.mjs'],
    '--decide = "./gone.mjs": must be a module',
  ],
  [
    'a decide module that decides nothing',
    ['exit-brain', '--broker', VENUE, '--decide', './no-function.mjs'],
    'must have a default export that is a function',
  ],
  ['a bar file that is not there', ['venue', '--bars', 'gone.csv'], 'gone.csv'],
  ['a bar file with a wrong cell', ['venue', '--bars', 'bars.csv'], '"abc"'],
  ['a port that is none', ['venue', '--port', '70000'], '--port = "70000": must be a whole number between 0 and 65535'],
  ['a re-arm by nobody', ['rearm', '--reason', 'x'], '--by = undefined: must be given: who arms'],
  [
    'a position that cannot be acknowledged',
    ['rearm', '--by', 'operator', '--reason', 'x', '--acknowledge', 'AAPL'],
    '--acknowledge = "AAPL": must be ACCOUNT:SYMBOL=QUANTITY',
  ],
  ['maintenance for no time', ['maintenance', '--service', 's', '--by', 'operator', '--reason', 'x'], '--for = undefined: must be given'],
  ['a direct panic that should wait for the bus', ['panic', '--direct', '--no-wait'], '--no-wait = true: must not be given with --direct'],
  ['a direct panic that should wait so long', ['panic', '--direct', '--wait', '5s'], '--wait = 5000: must not be given with --direct'],
  ['a panic for an account that cannot be', ['panic', '--account', 'desk/7'], '--account = "desk/7": must be 1 to 100 letters'],
  ['a direct panic for no account', ['panic', '--direct', '--broker', VENUE], '--account = undefined: must be given'],
];

describe('bad input', () => {
  it.concurrent.each(CASES.map(([what, args, says, env]) => ({ what, args, says, env })))('$what', async ({ args, says, env }) => {
    expect(complaint(await workspace.run(args, env))).toContain(says);
  });

  it('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      expect(complaint(await workspace.run(['venue', '--port', String(port)]))).toContain(`--port = ${port}: must be free`);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('a file where the journal should be', async () => {
    expect(complaint(await workspace.run(['status', '--bus', 'journal:a-file']))).toMatch(
      /^failflat: --bus = "journal:a-file": .*a-file: is not a directory$/,
    );
    const env = { FAILFLAT_BUS: 'journal:a-file' };
    expect(complaint(await workspace.run(['status'], env))).toMatch(
      /^failflat: FAILFLAT_BUS = "journal:a-file": .*a-file: is not a directory$/,
    );
  });

  it('a journal of a format that is not ours', async () => {
    expect(complaint(await workspace.run(['status', '--bus', 'journal:foreign']))).toContain('format 99: this version reads 1');
  });

  it('a directory that cannot be written', async () => {
    mkdirSync(workspace.path('sealed'));
    chmodSync(workspace.path('sealed'), 0o555);
    // Permissions do not hold root back; the kernel's own file system does.
    const sealed = process.getuid?.() === 0 ? '/sys/failflat' : workspace.path('sealed/failflat');
    expect(complaint(await workspace.run(['watchdog', '--bus', `journal:${sealed}`]))).toContain(
      `--bus = "journal:${sealed}": ${sealed}: `,
    );
  });

  it('tells an operator who halts that nothing is halted', async () => {
    const { code, stderr } = await workspace.run(['halt', '--bus', 'journal:a-file']);
    expect({ code, first: stderr.split('\n')[0] }).toEqual({ code: 2, first: 'NOT HALTED. This command has changed nothing:' });
  });
});
