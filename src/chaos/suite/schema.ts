/** The form of a suite: scenarios as data, each composed of faults that the rig can make. Published as `schemas/chaos_suite.schema.json`. */
import { z } from 'zod';
import { BUS_KINDS } from '../run/scenario.js';
import { SUITE_CHECK_IDS } from './checks.js';

const DURATION_MAX_MS = 600_000;
const durationMs = z.int().min(1).max(DURATION_MAX_MS);
const share = z.number().min(0).max(1);
const who = z
  .array(z.string().regex(/^(exit-brain|watchdog|exit-worker|strategy)-[1-9]$|^venue$/))
  .min(1)
  .max(20);

/** From the beginning of the faults on; like every length of a fault it is divided by the scale. */
const atMs = z.int().min(0).max(DURATION_MAX_MS).default(0);

const kill = z.strictObject({ kind: z.literal('kill'), at_ms: atMs, who });
const freeze = z.strictObject({ kind: z.literal('freeze'), at_ms: atMs, who, for_ms: durationMs });
const revokeBeats = z.strictObject({ kind: z.literal('revoke_beats'), at_ms: atMs, who, for_ms: durationMs });
const blockLoop = z.strictObject({ kind: z.literal('block_loop'), at_ms: atMs, who, for_ms: durationMs });
const partition = z.strictObject({
  kind: z.literal('partition'),
  at_ms: atMs,
  who,
  for_ms: durationMs,
  mode: z.enum(['stall', 'half-open']).default('stall'),
});
const corruptSnapshots = z.strictObject({ kind: z.literal('corrupt_snapshots'), at_ms: atMs, for_ms: durationMs });
const burnCpu = z.strictObject({
  kind: z.literal('burn_cpu'),
  at_ms: atMs,
  for_ms: durationMs,
  /** Of all processors; below it the siege proves nothing. */
  busy_share: share.default(0.95),
});
const takeMemory = z.strictObject({
  kind: z.literal('take_memory'),
  at_ms: atMs,
  for_ms: durationMs,
  mebibytes: z.int().min(1).max(65_536),
});
const writeDisk = z.strictObject({
  kind: z.literal('write_disk'),
  at_ms: atMs,
  for_ms: durationMs,
  /** Writes a second that must really have been made. */
  writes_per_s: z.int().min(1).max(1_000_000),
});
const stepClock = z.strictObject({ kind: z.literal('step_clock'), at_ms: atMs, who });
const rollBackBus = z.strictObject({ kind: z.literal('roll_back_bus'), at_ms: atMs });

export const faultSchema = z.discriminatedUnion('kind', [
  kill,
  freeze,
  revokeBeats,
  blockLoop,
  partition,
  corruptSnapshots,
  burnCpu,
  takeMemory,
  writeDisk,
  stepClock,
  rollBackBus,
]);

const castSchema = z.strictObject({
  watchdogs: z.int().min(1).max(4).default(1),
  workers: z.int().min(1).max(4).default(1),
  /** The brain, the first watchdog and the first worker run under `failflat run`, which starts each of them again. */
  supervised: z.boolean().default(false),
});

const loadSchema = z.strictObject({
  strategies: z.int().min(1).max(8).default(1),
  /** Times the normal rate of orders, of all strategies together. */
  rate: z.number().min(0.1).max(10).default(1),
});

const workloadSchema = z.strictObject({
  kind: z.literal('halts'),
  clients: z.int().min(2).max(12).default(5),
  /** How many of them halt at the same time. */
  writers: z.int().min(1).max(12).default(1),
  /** How often trading is halted and armed again. */
  rounds: z.int().min(1).max(50).default(3),
});

const scenarioSchema = z.strictObject({
  id: z.string().regex(/^[A-Z][A-Z0-9]{2,31}$/),
  summary: z.string().min(1).max(300),
  /** 1: a nuisance. 5: the end of the house. Told in the report, and nothing else. */
  severity: z.int().min(1).max(5).default(3),
  buses: z.array(z.enum(BUS_KINDS)).min(1),
  cast: castSchema.prefault({}),
  load: loadSchema.prefault({}),
  workload: workloadSchema.optional(),
  faults: z.array(faultSchema).max(20),
  /** For so long nobody may panic, whatever the faults are. Divided by the scale. */
  quiet_ms: durationMs.optional(),
  /** `flat`: a panic is due, and the book ends empty. `trading`: no panic may come, and orders are admitted again. */
  outcome: z.enum(['flat', 'trading']),
  /** Never divided by the scale. */
  recover_within_ms: durationMs.default(30_000),
  /** What the recovery is counted from: the begin of the first fault, or the end of the last. */
  recover_from: z.enum(['begin', 'end']).default('end'),
  must_hold: z.array(z.enum(SUITE_CHECK_IDS)).min(1),
  /** More than these shares of strategies refused, or of orders refused, and the faults are stopped and the scenario is red. */
  blast_radius: z.strictObject({ strategies: share, orders: share }).optional(),
  /** Without this safeguard the scenario must go red, at this check. */
  sabotage: z.strictObject({ name: z.string().min(1), red: z.string().min(1) }),
});

export const suiteSchema = z
  .strictObject({
    $schema: z.string().optional(),
    suite: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
    title: z.string().min(1).max(200),
    scenarios: z.array(scenarioSchema).min(1).max(100),
  })
  .superRefine(({ scenarios }, context) => {
    const ids = scenarios.map(({ id }) => id);
    for (const [index, scenario] of scenarios.entries()) {
      const complain = (path: readonly (string | number)[], message: string) =>
        context.addIssue({ code: 'custom', path: ['scenarios', index, ...path], message });
      if (ids.indexOf(scenario.id) !== index) complain(['id'], 'must be given only once');
      checkFaults(scenario, complain);
    }
  })
  .meta({ title: 'A suite of scenarios that are composed of real faults' });

export type Suite = z.output<typeof suiteSchema>;
export type SuiteScenario = Suite['scenarios'][number];
export type SuiteFault = z.output<typeof faultSchema>;
export type FaultOf<K extends SuiteFault['kind']> = Extract<SuiteFault, { readonly kind: K }>;

/** Which roles a fault can strike, where not every one. */
const ROLES: Readonly<Partial<Record<SuiteFault['kind'], RegExp>>> = {
  kill: /^(exit-brain|watchdog|exit-worker)/,
  freeze: /^(exit-brain|watchdog|exit-worker|venue)/,
  revoke_beats: /^(exit-brain|watchdog|exit-worker)/,
  block_loop: /^strategy/,
  partition: /^strategy/,
  step_clock: /^watchdog/,
};
/** Those that a process carries inside it: it can carry one. */
const CARRIED: readonly SuiteFault['kind'][] = ['revoke_beats', 'block_loop', 'step_clock'];

/** Every process of a scenario, by name. */
export function namesOf({ cast, load }: Pick<SuiteScenario, 'cast' | 'load'>): readonly string[] {
  const numbered = (role: string, count: number) => Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
  return [
    ...numbered('exit-brain', 1),
    ...numbered('watchdog', cast.watchdogs),
    ...numbered('exit-worker', cast.workers),
    ...numbered('strategy', load.strategies),
    'venue',
  ];
}

type Complain = (path: readonly (string | number)[], message: string) => void;

function checkFaults(scenario: SuiteScenario, complain: Complain): void {
  const { faults, buses, workload } = scenario;
  const names = namesOf(scenario);
  const carriers = new Set<string>();
  for (const [index, fault] of faults.entries()) {
    const struck = 'who' in fault ? fault.who : [];
    for (const [place, name] of struck.entries()) {
      const path = ['faults', index, 'who', place];
      const fits = ROLES[fault.kind]?.test(name) ?? true;
      if (!names.includes(name)) complain(path, `must be in the cast: ${names.join(', ')}`);
      else if (!fits) complain(path, `must be one that ${fault.kind} can strike`);
      else if (CARRIED.includes(fault.kind) && carriers.has(name)) complain(path, 'must carry one fault only');
      if (CARRIED.includes(fault.kind)) carriers.add(name);
    }
    const only = fault.kind === 'corrupt_snapshots' ? 'journal' : ['partition', 'roll_back_bus'].includes(fault.kind) ? 'redis' : undefined;
    if (only !== undefined && buses.some((bus) => bus !== only)) complain(['buses'], `must be ["${only}"] where a fault is ${fault.kind}`);
  }
  if (faults.filter(({ kind }) => kind === 'partition').length > 1) complain(['faults'], 'must hold one partition at most');
  if (workload !== undefined && workload.writers > workload.clients)
    complain(['workload', 'writers'], `must be at most ${workload.clients}`);
}
