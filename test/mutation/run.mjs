/** `npm run mutation [-- FOLDER …]`: mutates each folder, prints its score, lists the mutants that no test killed. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FOLDERS, SCORE_MIN } from './folders.mjs';

const KILLED = new Set(['Killed', 'Timeout']);
const ALIVE = new Set(['Survived', 'NoCoverage']);

function mutate(folder) {
  const { status } = spawnSync('npx', ['--no-install', 'stryker', 'run', 'test/mutation/stryker.config.mjs'], {
    env: { ...process.env, MUTATED_FOLDER: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`mutating ${folder} ended with ${status}`);
  return JSON.parse(readFileSync(`var/mutation/${folder}.json`, 'utf8'));
}

function scoreOf({ files }) {
  const mutants = Object.entries(files).flatMap(([path, file]) => file.mutants.map((mutant) => ({ path, ...mutant })));
  const killed = mutants.filter(({ status }) => KILLED.has(status)).length;
  const alive = mutants.filter(({ status }) => ALIVE.has(status));
  return { killed, alive, of: killed + alive.length, ignored: mutants.filter(({ status }) => status === 'Ignored').length };
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((folder) => !FOLDERS.includes(folder));
if (unknown !== undefined) {
  console.error(`folder ${unknown}: must be one of ${FOLDERS.join(', ')}`);
  process.exit(2);
}

const rows = [];
for (const folder of wanted.length === 0 ? FOLDERS : wanted) {
  const { killed, alive, of, ignored } = scoreOf(mutate(folder));
  for (const { path, location, mutatorName, replacement, status } of alive) {
    console.log(`${path}:${location.start.line}:${location.start.column} ${status} ${mutatorName} ${JSON.stringify(replacement)}`);
  }
  rows.push({ folder, killed, of, ignored, score: of === 0 ? 0 : (100 * killed) / of });
}
for (const { folder, killed, of, ignored, score } of rows) {
  console.log(`${folder}: ${score.toFixed(1)} % (${killed} of ${of} mutants killed, ${ignored} disabled), at least ${SCORE_MIN} %`);
}
if (rows.some(({ score }) => score < SCORE_MIN)) process.exit(1);
