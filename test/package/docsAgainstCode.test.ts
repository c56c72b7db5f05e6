/** The tables of the documentation against the code: nothing in them that does not exist, nothing that exists left out. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BENCH_OPTIONS } from '../../benchmarks/parts/options.js';
import { BREAKER_TYPES } from '../../src/breakers/config.js';
import { BREAKER_VARIABLES } from '../../src/breakers/environment.js';
import { REASON_CODES } from '../../src/breakers/result.js';
import { BEHAVIOURS_OF, CHAOS_BEHAVIOURS, CHAOS_TYPES } from '../../src/chaos/inProcess/faultKinds.js';
import { CHAOS_SCENARIOS } from '../../src/chaos/run/scenarios/catalogue.js';
import { loadCommands } from '../../src/cli/commands.js';
import { showDuration } from '../../src/cli/duration.js';
import type { OptionSpec } from '../../src/cli/options.js';
import type { Evidence } from '../../src/drill/judge/evidence.js';
import { FAULTS, KILLS, PARTITIONS } from '../../src/drill/options.js';
import { SABOTAGES } from '../../src/drill/sabotage/catalogue.js';
import { FAULT_SCENARIOS } from '../../src/drill/scenarios/faults.js';
import { KILL_SCENARIOS, noFault } from '../../src/drill/scenarios/kills.js';
import { PARTITION_SCENARIOS } from '../../src/drill/scenarios/partitions.js';
import { type HttpAnswer, probeAnswer, refusalAnswer, upgradeAnswer } from '../../src/http/answers.js';
import { type HttpSettings, httpSettings } from '../../src/http/options.js';
import { FILL_REFUSAL_CODES } from '../../src/ledger/result.js';
import { COMPLETION_VERDICTS, ESCALATION_VERDICTS } from '../../src/messages/completion.js';
import { HOLDER_EVENTS } from '../../src/messages/holder.js';
import { type Permission, REFUSAL_CODES } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import type { LeaseDecision } from '../../src/tradingLease/decideLease.js';
import { INITIAL_SWITCHES } from '../../src/venue/engine/state.js';
import { REPOSITORY } from './packed.js';
import { pages, readPage } from './snippets.js';

const COMMANDS = await loadCommands();

const plain = (cell: string): string => cell.replaceAll('`', '').replaceAll('\\|', '|').trim();

/** The rows below the table head whose first cells are these, cells as plain text. */
function rowsOf(text: string, ...head: readonly string[]): string[][] {
  const lines = text.split('\n');
  const cellsOf = (line: string) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(plain);
  const at = lines.findIndex((line) => line.startsWith('|') && head.every((cell, index) => cellsOf(line)[index] === cell));
  if (at < 0) throw new Error(`no table with the head ${head.join(', ')}`);
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('|'));
  return lines.slice(at + 2, end < 0 ? lines.length : end).map(cellsOf);
}

const firstCells = (rows: readonly string[][]): string[] => rows.map(([first = '']) => first);

function defaultOf(spec: OptionSpec): string {
  if (!('default' in spec) || spec.default === undefined) return '';
  return typeof spec.default === 'number' && spec.type === 'duration' ? showDuration(spec.default) : String(spec.default);
}

describe('docs/command-line.md', () => {
  const page = readPage('docs/command-line.md');
  const sections = new Map(page.split(/^### /m).map((section) => [/^`failflat ([a-z-]+(?: [a-z-]+)?)`/.exec(section)?.[1] ?? '', section]));

  it('has every command and no other', () => {
    expect([...sections.keys()].filter((name) => name !== '')).toEqual(COMMANDS.map(({ name }) => name));
  });

  it.each(COMMANDS)('has the options of $name with their defaults', ({ name, options }) => {
    const told = rowsOf(sections.get(name) ?? '', 'option').map(([option = '', value = '']) => [option.split(' ')[0], value]);
    const existing = Object.entries(options).map(([option, spec]) => [`--${option}`, defaultOf(spec)]);
    expect(told).toEqual(existing);
  });
});

it('docs/chaos.md tells every type with its behaviours, and every behaviour', () => {
  const page = readPage('docs/chaos.md');
  const told = rowsOf(page, 'type', 'error').map(([type = '', , behaviours = '']) => [type, behaviours]);
  expect(told).toEqual(CHAOS_TYPES.map((type) => [type, BEHAVIOURS_OF[type].join(', ')]));
  expect(firstCells(rowsOf(page, 'behaviour'))).toEqual([...CHAOS_BEHAVIOURS]);
});

describe('docs/breakers.md', () => {
  const page = readPage('docs/breakers.md');
  const codesIn = (text: string) => [...text.matchAll(/\b[a-z]+(?:_[a-z]+)*\b/g)].map(([code]) => code);

  it('tells every type of breaker and every reason code', () => {
    const rows = rowsOf(page, 'type', 'reason codes');
    expect(firstCells(rows)).toEqual([...BREAKER_TYPES]);
    const told = new Set([...rows.flatMap(([, codes = '']) => codesIn(codes.split(':')[0] ?? '')), 'ok', 'off', 'no_results', 'no_equity']);
    expect(told).toEqual(new Set(REASON_CODES));
  });

  it('tells every environment variable', () => {
    expect(firstCells(rowsOf(page, 'variable'))).toEqual([...BREAKER_VARIABLES]);
  });
});

it('docs/paper-venue.md names every switch of the venue and no other', () => {
  const told = rowsOf(readPage('docs/paper-venue.md'), 'switch').map(([name = '']) => name.replaceAll('`', ''));
  expect(told).toEqual(Object.keys(INITIAL_SWITCHES));
});

it.each(pages())('%s mentions no command and no option that does not exist', (page) => {
  const text = readPage(page);
  const commands = [...text.matchAll(/(?:`|^|npx )failflat ([a-z][a-z-]*)/gm)].map((match) => match[1]);
  const named = [BENCH_OPTIONS, ...COMMANDS.map(({ options }) => options)].flatMap((options) => Object.keys(options));
  const known = new Set(['--help', '--version', ...named.map((name) => `--${name}`)]);
  const options = [...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => option);
  expect(commands.filter((word) => !COMMANDS.some(({ name }) => name.split(' ')[0] === word))).toEqual([]);
  expect(options.filter((option) => !known.has(option))).toEqual([]);
});

/** A run in which nothing was seen. */
const NOTHING: Evidence = {
  account: 'drill',
  positions: 1,
  venueLatencyMs: 0,
  promised: { detectionMs: 1, leaseTtlMs: 1, peerLivenessMs: 1, brokerTimeoutMs: 1, claimMs: 1, exitDeadlineMs: 1, doubtMs: 1 },
  marks: { armedMs: 0, endMs: 0 },
  events: [],
  bus: {
    brainBeats: [],
    watchdogBeats: [],
    workerBeats: [],
    panics: [],
    completions: [],
    escalations: [],
    states: [],
    holders: [],
    audit: [],
    unreadable: [],
  },
  attempts: [],
  alerts: [],
  unacknowledged: undefined,
  pendingWhenWorkerDied: undefined,
  stallMs: () => 0,
};

describe('docs/chaos-run.md', () => {
  const page = readPage('docs/chaos-run.md');

  it('has every scenario, as it says of itself, and the sabotage that turns it red', () => {
    const told = rowsOf(page, 'scenario', 'what happens');
    expect(told).toEqual(CHAOS_SCENARIOS.map(({ name, summary, sabotage }) => [name, summary, sabotage.name]));
  });

  it('has every file for which there is a schema', () => {
    const files = firstCells(rowsOf(page, 'file', 'what it is')).map((file) => file.replace('SCENARIO/', ''));
    const schemas = readdirSync(join(REPOSITORY, 'schemas')).map((file) => file.replace('.schema', ''));
    expect(files).toEqual(expect.arrayContaining(schemas));
  });
});

describe('docs/drill.md', () => {
  const page = readPage('docs/drill.md');
  const scenarios = [...Object.values(KILL_SCENARIOS), noFault, ...Object.values(FAULT_SCENARIOS), ...Object.values(PARTITION_SCENARIOS)];
  const checks = new Map(scenarios.flatMap((scenario) => scenario.checks.map((judge) => judge(NOTHING))).map((check) => [check.id, check]));

  it('tells each sabotage as it is', () => {
    const existing = SABOTAGES.map(({ name, removes, reveal, red, consequences }) => [
      name,
      removes,
      'kill' in reveal ? `--kill ${reveal.kill}` : `--fault ${reveal.fault}`,
      red,
      consequences.join(', ') || 'none',
    ]);
    expect(rowsOf(page, 'sabotage')).toEqual(existing);
  });

  it('tells what is killed and each fault', () => {
    expect(rowsOf(page, 'kill')).toEqual(KILLS.map((kill) => [kill, KILL_SCENARIOS[kill].summary]));
    expect(rowsOf(page, 'partition')).toEqual(PARTITIONS.map((who) => [who, PARTITION_SCENARIOS[who].summary]));
    expect(rowsOf(page, 'fault')).toEqual(FAULTS.map((fault) => [fault, FAULT_SCENARIOS[fault].summary]));
  });

  it('tells every check', () => {
    expect(new Map(rowsOf(page, 'check').map(([id = '', name]) => [id, name]))).toEqual(
      new Map([...checks].map(([id, { name }]) => [id, name])),
    );
  });

  it('is right that a check without evidence is a failed check', () => {
    expect([...checks.values()].filter(({ passed }) => passed)).toEqual([]);
  });

  it.each(SABOTAGES)('$name goes red at a check that its scenario has', ({ reveal, red, consequences }) => {
    const scenario = 'kill' in reveal ? KILL_SCENARIOS[reveal.kill] : FAULT_SCENARIOS[reveal.fault];
    expect(scenario.checks.map((judge) => judge(NOTHING).id)).toContain(red);
    expect(consequences).not.toContain(red);
  });
});

/** One row of a results file; a figure that could not be taken is null there. */
interface Measured {
  readonly budget: string;
  readonly ratio: number | null;
  readonly limit: number;
  readonly within: boolean;
  readonly rounds: readonly (number | null)[];
}

describe('docs/http.md', () => {
  const kinds: Readonly<Record<string, (settings: HttpSettings) => HttpAnswer | undefined>> = {
    readiness: (settings) => probeAnswer(settings, { method: 'GET', url: '/readyz' }),
    liveness: (settings) => probeAnswer(settings, { method: 'GET', url: '/livez' }),
    'GET, HEAD, OPTIONS': (settings) => refusalAnswer(settings, { method: 'OPTIONS', url: '/' }),
    'DELETE: a cancel': (settings) => refusalAnswer(settings, { method: 'DELETE', url: '/' }),
    'a reduce': (settings) => refusalAnswer({ ...settings, intent: () => 'reduce' }, { method: 'POST', url: '/' }),
    'anything else': (settings) => refusalAnswer(settings, { method: 'PATCH', url: '/' }),
    'an upgrade of protocols': upgradeAnswer,
  };
  const halted: Permission = {
    name: 'switch',
    check: () => ({ code: 'kill_switch_enabled', source: 'switch', reason: 'test' }),
  };
  const shown = (answer: HttpAnswer | undefined): string => {
    if (answer === undefined) return 'passes';
    const { error } = answer.body;
    return typeof error === 'string' ? `${answer.status} ${error}` : String(answer.status);
  };

  it('tells what each request is told, running, halted and shutting down', () => {
    const shut = createShutdownGate();
    shut.requestShutdown('test');
    const gate = createShutdownGate();
    const states = [httpSettings({ gate }), httpSettings({ gate, killSwitch: halted }), httpSettings({ gate: shut, killSwitch: halted })];
    const expected = Object.entries(kinds).map(([kind, ask]) => [kind, ...states.map((settings) => shown(ask(settings)))]);
    expect(rowsOf(readPage('docs/http.md'), 'request', 'running')).toEqual(expected);
  });
});

describe('docs/scale.md, docs/killSwitch.md, docs/breakers.md and docs/shutdown-gate.md', () => {
  const HEAD = ['budget', 'median', 'limit', 'within'] as const;
  const RESULTS = join(REPOSITORY, 'benchmarks/results');
  const resultsIn = (file: string): readonly Measured[] =>
    existsSync(join(RESULTS, file)) ? (JSON.parse(readFileSync(join(RESULTS, file), 'utf8')) as Measured[]) : [];
  const shown = (value: number | null): string => (value === null ? 'none' : Number(value.toPrecision(3)).toLocaleString('en-US'));

  it('tell every figure of the results as it was measured, and no other', () => {
    const measured = readdirSync(RESULTS).flatMap(resultsIn);
    const line = (cells: readonly string[]) => cells.join(' | ');
    const expected = measured.map(({ budget, ratio, limit, within }) => line([budget, shown(ratio), shown(limit), within ? 'yes' : 'no']));
    const told = ['docs/scale.md', 'docs/killSwitch.md', 'docs/breakers.md', 'docs/shutdown-gate.md'].flatMap((page) =>
      rowsOf(readPage(page), ...HEAD).map((row) => line(row.slice(0, 4))),
    );
    expect(new Set(told)).toEqual(new Set(expected));
  });

  it.each([
    ['docs/killSwitch.md', 'killSwitch.json'],
    ['docs/shutdown-gate.md', 'guard.json'],
  ])('%s tells how far the rounds of each figure lie apart', (page, file) => {
    const expected = resultsIn(file).map(({ budget, rounds }) => {
      const sorted = rounds.toSorted((left, right) => (left ?? Number.NaN) - (right ?? Number.NaN));
      return [budget, `${shown(sorted.at(0) ?? null)} to ${shown(sorted.at(-1) ?? null)}`];
    });
    expect(rowsOf(readPage(page), ...HEAD, 'range').map(([budget, , , , range]) => [budget, range])).toEqual(expected);
  });
});

const sources = readdirSync(join(REPOSITORY, 'src'), { recursive: true, encoding: 'utf8' })
  // Targets of injected faults are named like the calls that they hit.
  .filter((name) => name.endsWith('.ts') && !name.startsWith('chaos/'))
  .map((name) => readFileSync(join(REPOSITORY, 'src', name), 'utf8'));

const found = (pattern: RegExp): Set<string> =>
  new Set(sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')));

const VERDICTS = [...COMPLETION_VERDICTS, ...ESCALATION_VERDICTS];
const LEASE_KINDS: Readonly<Record<LeaseDecision['kind'], true>> = {
  held: true,
  suspended: true,
  halted: true,
  reducing: true,
  missing: true,
};

/** `area.event`, as the record and the alerts name what happens. */
const NAMES = /'((?:state|breaker|maintenance|lease|watchdog|panic|exit|bus)\.[a-z_]+)'/g;
const ALERTED = /(?:kind: |#alarm\(|#discard\([^']*?)'([a-z]+\.[a-z_]+)'/g;
/** Told to people and put on record as well. */
const DISCARDED = ['panic.malformed', 'panic.stale_epoch'];

describe('what happens, by name', () => {
  const alerts = found(ALERTED);
  const verdicts = VERDICTS.map((verdict) => `exit.${verdict}`);

  it('docs/trading-state.md tells every event of the record', () => {
    const recorded = [...found(NAMES)].filter((name) => !alerts.has(name) || DISCARDED.includes(name));
    const existing = new Set([...recorded, ...verdicts, ...Object.keys(LEASE_KINDS).map((kind) => `lease.${kind}`)]);
    expect(new Set(firstCells(rowsOf(readPage('docs/trading-state.md'), 'event')))).toEqual(existing);
  });

  it('docs/watchdog.md and docs/exit-worker.md tell every alert', () => {
    const told = ['docs/watchdog.md', 'docs/exit-worker.md'].flatMap((page) => firstCells(rowsOf(readPage(page), 'alert')));
    expect(new Set(told)).toEqual(new Set([...alerts, ...verdicts, 'bus.lost.<verdict>']));
  });

  it('docs/exit-worker.md tells every verdict', () => {
    expect(firstCells(rowsOf(readPage('docs/exit-worker.md'), 'verdict'))).toEqual(VERDICTS);
  });

  it('docs/watchdog.md tells every reason of a panic', () => {
    const reasons = found(/reason: '(EXIT_BRAIN_[A-Z_]+)'/g);
    expect(reasons.size).toBe(5);
    expect(new Set(readPage('docs/watchdog.md').match(/EXIT_BRAIN_[A-Z_]+/g))).toEqual(reasons);
  });

  it('docs/shutdown-gate.md tells the codes of a refusal in their order', () => {
    const told = [...readPage('docs/shutdown-gate.md').matchAll(/`([a-z]+_[a-z_]+)(?=`[,.])/g)].map((match) => match[1] ?? '');
    expect(told.filter((code) => (REFUSAL_CODES as readonly string[]).includes(code)).slice(-REFUSAL_CODES.length)).toEqual(REFUSAL_CODES);
  });

  it('docs/ledger.md tells every refusal of a fill', () => {
    expect(firstCells(rowsOf(readPage('docs/ledger.md'), 'refusal'))).toEqual(FILL_REFUSAL_CODES);
  });

  it('docs/trading-lease.md tells what a holder reports', () => {
    expect(readPage('docs/trading-lease.md').replaceAll('\n', ' ')).toContain(`(${HOLDER_EVENTS.join(', ')})`);
  });
});

describe('docs/promises.md', () => {
  const page = readPage('docs/promises.md');
  const promises = rowsOf(page, 'id', 'promise');
  const proofs = rowsOf(page, 'id', 'file', 'test');
  const source = (file: string) => readFileSync(join(REPOSITORY, file), 'utf8');

  it('has every promise once, and a proof of each', () => {
    const ids = [...Array.from({ length: 13 }, (_, index) => `S${index + 1}`), ...['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7']];
    expect(firstCells(promises)).toEqual(ids);
    expect([...new Set(firstCells(proofs))]).toEqual(ids);
  });

  it.each(promises)('%s is kept in files that exist', (_id, _promise, files = '') => {
    expect(files.split(', ').filter((file) => !existsSync(join(REPOSITORY, file)))).toEqual([]);
  });

  it.each(proofs)('%s: %s has this test', (id = '', file = '', title = '') => {
    expect(title).toMatch(new RegExp(`\\b${id}\\b`));
    expect(source(file)).toContain(title);
  });

  const traps = rowsOf(page, 'trap');

  it.each(traps)('trap %s: %s: %s', (number = '', _what, file = '') => {
    expect(source(file)).toMatch(new RegExp(`trap ${number}\\b`));
  });

  it('has every incident that is tested', () => {
    const files = new Set(traps.map(([, , file = '']) => file.split('/').at(-1)));
    expect(readdirSync(join(REPOSITORY, 'test/incidents')).filter((file) => file.endsWith('.test.ts') && !files.has(file))).toEqual([]);
  });
});
