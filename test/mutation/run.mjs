/**
 * `npm run mutation [-- FOLDER … | --mutate FILE …]`: mutates each folder, or the files alone, prints each folder's score and lists the
 * mutants that no test killed. What a folder's score needs is remembered in `var/mutation` from run to run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FOLDERS, SCORE_MIN } from './folders.mjs';

const KILLED = new Set(['Killed', 'Timeout']);
const ALIVE = new Set(['Survived', 'NoCoverage']);

function refuse(message) {
  console.error(message);
  process.exit(2);
}

/** What is to be mutated: each folder with the files meant, none for all of them. */
function wantedOf(args) {
  const { positionals, values } = parseArgs({ args, allowPositionals: true, options: { mutate: { type: 'string', multiple: true } } });
  const files = values.mutate ?? [];
  const missing = files.find((file) => !/^src\/[^/]+\/.*\.ts$/.test(file) || !existsSync(file));
  if (missing !== undefined) refuse(`--mutate ${missing}: must be a file such as src/${FOLDERS[0]}/NAME.ts`);
  const folderOf = (file) => file.split('/')[1];
  const named = [...new Set([...positionals, ...files.map(folderOf)])];
  const unknown = named.find((folder) => !FOLDERS.includes(folder));
  if (unknown !== undefined) refuse(`folder ${unknown}: must be one of ${FOLDERS.join(', ')}`);
  const folders = named.length === 0 ? FOLDERS : named;
  return folders.map((folder) => ({
    folder,
    files: positionals.includes(folder) ? [] : files.filter((file) => folderOf(file) === folder),
  }));
}

function mutate({ folder, files }) {
  const only = files.length === 0 ? [] : ['--mutate', files.join(',')];
  const { status } = spawnSync('npx', ['--no-install', 'stryker', 'run', 'test/mutation/stryker.config.mjs', ...only], {
    env: { ...process.env, MUTATED_FOLDER: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`mutating ${folder} ended with ${status}`);
  return JSON.parse(readFileSync(`var/mutation/${folder}.json`, 'utf8'));
}

const count = (mutants, statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;

function scoreOf(folder, { files }) {
  const mutants = Object.entries(files).flatMap(([path, file]) => file.mutants.map((mutant) => ({ path, ...mutant })));
  const killed = mutants.filter(({ status }) => KILLED.has(status)).length;
  const alive = mutants.filter(({ status }) => ALIVE.has(status));
  const of = killed + alive.length;
  return {
    folder,
    alive,
    of,
    killed,
    score: of === 0 ? 0 : (100 * killed) / of,
    survived: count(mutants, ['Survived']),
    notReached: count(mutants, ['NoCoverage']),
    timedOut: count(mutants, ['Timeout']),
    disabled: count(mutants, ['Ignored']),
  };
}

const rows = wantedOf(process.argv.slice(2)).map((wanted) => scoreOf(wanted.folder, mutate(wanted)));
for (const { path, location, mutatorName, replacement, status } of rows.flatMap(({ alive }) => alive)) {
  console.log(`${path}:${location.start.line}:${location.start.column} ${status} ${mutatorName} ${JSON.stringify(replacement)}`);
}
for (const { folder, killed, of, score, survived, notReached, timedOut, disabled } of rows) {
  console.log(
    `${folder}: ${score.toFixed(1)} % of ${of} mutants, at least ${SCORE_MIN} %: ${killed} killed (${timedOut} by time), ` +
      `${survived} survived, ${notReached} not reached, ${disabled} disabled`,
  );
}
if (rows.some(({ score }) => score < SCORE_MIN)) process.exitCode = 1;
