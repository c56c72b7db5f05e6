/** Draws a schedule for a seed. What one fault draws never shifts what another does. */
import type { Random } from '../../random.js';
import { seededRandom } from '../../random.js';
import { drawSetup, numbered, type WorldSetup } from '../world/setup.js';
import { timingsOf } from '../world/timings.js';
import { COINCIDENCE_NAMES, COINCIDENCES, type Coincidence, drawRunaway } from './coincidences.js';
import { FAULT_KINDS, type Fault, type FaultKind, OCCASIONS, SCHEDULE_VERSION, type Schedule } from './schedule.js';

const TROUBLE_MS = 60_000;
const AFTERMATH_MS = 120_000;
const FIRST_MS = 3_000;
/** When the fault that leads to an exit falls, and how soon after it the watchdog accuses. */
const LEAD_FROM_MS = 16_000;
const LEAD_SPAN_MS = 30_000;

const STEPS_MS = [-3_600_000, -5_000, -300, 300, 5_000, 3_600_000];

function targetsOf({ watchdogs, workers }: WorldSetup): readonly string[] {
  return ['brain', 'strategy', ...numbered('watchdog', watchdogs), ...numbered('worker', workers)];
}

function pick<T>(random: Random, values: readonly T[], otherwise: T): T {
  return values[random.below(values.length)] ?? otherwise;
}

/** Mostly short, seldom long: many bounds lie near a second. */
function duration(random: Random): number {
  const longest = pick(random, [300, 1_000, 3_000, 12_000], 1_000);
  return 20 + Math.floor(random.next() * longest);
}

/** What a fault is drawn for. */
interface Surroundings {
  readonly setup: WorldSetup;
  readonly targets: readonly string[];
  /** When the exit is provoked; undefined: it is not. */
  readonly leadMs: number | undefined;
}

/**
 * A rare coincidence would never be met by chance alone: most faults fall around an accusation, or when something is seen to
 * happen, and only some at any moment.
 */
function drawMoment(random: Random, { leadMs, setup }: Surroundings): Pick<Fault, 'atMs' | 'on'> {
  const anywhere = { atMs: FIRST_MS + random.below(TROUBLE_MS - FIRST_MS) };
  if (leadMs === undefined) return anywhere;
  switch (random.below(4)) {
    case 0:
      return anywhere;
    case 1:
      return { atMs: leadMs + timingsOf(setup).rules.unguardedMs - 1_000 + random.below(1_200) };
    default:
      return { atMs: random.below(3) === 0 ? random.below(3_000) : random.below(30), on: pick(random, OCCASIONS, 'panic') };
  }
}

/** What leads to an exit while there is still trouble. */
function drawLead(random: Random, atMs: number): Fault {
  switch (random.below(6)) {
    case 0:
      return { kind: 'hang', atMs, forMs: 0, target: 'brain' };
    case 1:
    case 2:
      return { kind: 'operator-panic', atMs, forMs: 0 };
    default:
      return brainDies(random, atMs);
  }
}

function brainDies(random: Random, atMs: number): Fault {
  return { kind: 'crash', atMs, forMs: 8_000 + random.below(20_000), target: 'brain' };
}

function drawFault(random: Random, kind: FaultKind, surroundings: Surroundings): Fault {
  const { targets } = surroundings;
  const base = { kind, forMs: duration(random), ...drawMoment(random, surroundings) };
  const target = pick(random, targets, 'brain');
  switch (kind) {
    case 'crash':
    case 'stop':
    case 'suspend':
    case 'bus-reset':
    case 'disk-full':
    case 'disk-flip':
      return { ...base, target };
    case 'terminate':
      return { ...base, target: 'strategy' };
    case 'hang':
      return { ...base, target: 'brain' };
    case 'wall-step':
      return { ...base, forMs: 0, target, amount: pick(random, STEPS_MS, 300) };
    case 'bus-stall':
    case 'venue-stall':
      return { ...base, target, way: pick(random, ['in', 'out', 'both'] as const, 'both') };
    case 'bus-clog':
    case 'venue-clog':
      return { ...base, target, amount: 5 + random.below(800) };
    case 'venue-reject':
    case 'venue-silent':
    case 'venue-lost':
    case 'venue-expire':
      return { ...base, amount: 1 + random.below(4) };
    case 'venue-stale':
    case 'venue-late-fill':
      return { ...base, amount: 50 + random.below(1_500) };
    case 'runaway':
      return { ...base, forMs: 0, amount: 8 + random.below(30) };
    default:
      return base;
  }
}

function drawTogether(random: Random, setup: WorldSetup, leads: boolean): readonly Fault[] {
  if (random.below(3) === 0) return [];
  if (!leads) return random.below(2) === 0 ? drawRunaway(random) : [];
  return COINCIDENCES[pick(random, COINCIDENCE_NAMES, 'blind exit')](random, setup);
}

export interface DrawOptions {
  /** Only a few kinds of faults at a time, and more of each. */
  readonly swarm?: boolean;
  /** Every schedule holds this coincidence around an accusation. Default: one that is drawn, or none. */
  readonly focus?: Coincidence;
}

export function drawSchedule(seed: number, { swarm = false, focus }: DrawOptions = {}): Schedule {
  const random = seededRandom(`schedule/${seed}`);
  const setup = drawSetup(random.fork('setup'));
  const targets = targetsOf(setup);
  const counts = random.fork('count');
  const kinds = swarm ? Array.from({ length: 2 + counts.below(3) }, () => pick(counts, FAULT_KINDS, 'crash')) : FAULT_KINDS;
  const leads = counts.below(3) !== 0 || focus !== undefined;
  const leadMs = leads ? LEAD_FROM_MS + counts.below(LEAD_SPAN_MS) : undefined;
  const lead =
    leadMs === undefined ? [] : [focus === undefined ? drawLead(random.fork('lead'), leadMs) : brainDies(random.fork('lead'), leadMs)];
  const forTogether = random.fork('together');
  const together = focus === undefined ? drawTogether(forTogether, setup, leads) : COINCIDENCES[focus](forTogether, setup);
  // Some leads are left alone: what they lead to must come although nothing else is wrong.
  const count = lead.length > 0 && counts.below(8) === 0 ? 0 : 2 + counts.below(together.length > 0 ? 2 : 5);
  const others = Array.from({ length: count }, (_, index) => {
    const own = random.fork(`fault ${index}`);
    return drawFault(own, pick(own, kinds, 'crash'), { setup, targets, leadMs });
  });
  const faults = [...lead, ...together, ...others];
  return { version: SCHEDULE_VERSION, seed, setup, faults, healMs: TROUBLE_MS, endMs: TROUBLE_MS + AFTERMATH_MS };
}
