/** One scenario from the first process to the judgement; a host that cannot inject it is NOT RUN, never a pass. */
import { withoutSecrets } from '../../bus/withoutSecrets.js';
import type { Clock } from '../../clock.js';
import type { ActorRole, Variant } from '../../drill/actors/order.js';
import type { DrillBars } from '../../drill/bars.js';
import { Conductor, type ConductorOptions } from '../../drill/conductor.js';
import { checkDrillOptions, type DrillOptions } from '../../drill/options.js';
import { ACCUSES_THE_LIVING } from '../../drill/sabotage/brokenWatchdogs.js';
import { sabotageNamed } from '../../drill/sabotage/catalogue.js';
import type { TimelineEntry } from '../../drill/timeline.js';
import { ConfigurationError, messageOf } from '../../errors.js';
import { SentinelRedis } from '../../rig/redis/sentinel.js';
import { examineHost } from '../capabilities/examine.js';
import { PROBES } from '../capabilities/probes.js';
import type { UndoJournal } from '../undo/journal.js';
import type { ScenarioFacts } from './facts.js';
import { factsOf } from './factsOf.js';
import type { Sample } from './monitor.js';
import { busKindFor, type ChaosRunOptions } from './options.js';
import { type Recording, recordingOf } from './recording.js';
import type { ChaosScenario } from './scenario.js';
import { type Judgement, judgeScenario } from './score.js';
import { Stage } from './stage.js';

export interface Played {
  readonly ran: true;
  readonly scenario: string;
  readonly summary: string;
  readonly bus: string;
  readonly facts: ScenarioFacts;
  readonly judgement: Judgement;
  readonly samples: readonly Sample[];
  readonly recording: Recording;
  /** Operations of clients, where any were recorded. */
  readonly history?: readonly object[];
  readonly timeline: readonly TimelineEntry[];
  readonly totalMs: number;
}

/** It could not be done or judged here. */
export interface NotRun {
  readonly ran: false;
  readonly scenario: string;
  readonly summary: string;
  /** What is missing, or how the rig failed. */
  readonly why: string;
  readonly timeline: readonly TimelineEntry[];
}

export type ScenarioResult = Played | NotRun;

export interface RunDeps extends Pick<ConductorOptions, 'onEvent' | 'onLog' | 'signal' | 'random'> {
  readonly clock: Clock;
  readonly bars: DrillBars;
  /** Told first of whatever would not end with the run itself. */
  readonly undo: UndoJournal;
}

/** Why this host cannot play it; undefined: it can. */
export async function missingFor({ needs }: Pick<ChaosScenario, 'needs'>, clock: Clock): Promise<string | undefined> {
  const found = await examineHost(
    clock,
    PROBES.filter(({ name }) => needs.includes(name)),
  );
  // A server that is not installed is fetched where that can be done; the rig says so where it cannot.
  const missing = found.filter(({ status, name }) => status !== 'works' && name !== 'redis-server');
  return missing.length === 0 ? undefined : missing.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
}

export async function runScenario(scenario: ChaosScenario, options: ChaosRunOptions, deps: RunDeps): Promise<ScenarioResult> {
  const { name, summary } = scenario;
  const timeline: TimelineEntry[] = [];
  const notRun = (why: string): NotRun => ({ ran: false, scenario: name, summary, why, timeline });
  const onRedis = busKindFor(scenario, options) === 'redis';
  const missing = await missingFor(scenario, deps.clock);
  if (missing !== undefined) return notRun(missing);
  const startedMs = deps.clock.monotonicMs();
  const onEvent = (entry: TimelineEntry) => {
    timeline.push(entry);
    deps.onEvent(entry);
  };
  try {
    await using bus = await busOfItsOwn(scenario, onRedis, options.bus);
    const conductor = await Conductor.open({
      drill: drillOf(scenario, options, bus.options),
      bars: deps.bars,
      variants: variantsOf(scenario, options.sabotage),
      onEvent,
      onLog: deps.onLog,
      signal: deps.signal,
      random: deps.random,
      ownNames: scenario.ownNames === true,
      ...(scenario.cutMode === undefined ? {} : { cutMode: scenario.cutMode }),
      ...(scenario.named === undefined ? {} : { named: scenario.named }),
      ...(scenario.cutOff === undefined ? {} : { cutOff: scenario.cutOff }),
    });
    const played = await play(scenario, conductor, deps);
    return { ...played, timeline, totalMs: deps.clock.monotonicMs() - startedMs };
  } catch (error) {
    // What is wrong about the options is the caller's to put right; everything else is a rig that failed.
    if (error instanceof ConfigurationError) throw error;
    return notRun(messageOf(error));
  }
}

interface OwnBus extends AsyncDisposable {
  readonly options: Pick<DrillOptions, 'redis'> & Partial<Pick<DrillOptions, 'bus'>>;
}

/** The bus that the scenario needs, unless one is given. */
async function busOfItsOwn({ busOfItsOwn: kind }: ChaosScenario, onRedis: boolean, given: string | undefined): Promise<OwnBus> {
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (given !== undefined) return { ...nothing, options: { redis: false, bus: given } };
  if (!onRedis || kind === undefined) return { ...nothing, options: { redis: onRedis } };
  const redis = await SentinelRedis.start();
  return { options: { redis: false, bus: redis.url }, [Symbol.asyncDispose]: () => redis.dispose() };
}

/** Throws a ConfigurationError where the given bus is none on which this can be done. */
function drillOf(scenario: ChaosScenario, { scale, seed, positions }: ChaosRunOptions, bus: OwnBus['options']): DrillOptions {
  return checkDrillOptions({
    scale,
    seed,
    positions,
    ...bus,
    ...(scenario.strikesBus === true ? { kill: 'bus-master' } : {}),
    ...(scenario.partition === undefined ? {} : { partition: scenario.partition }),
  });
}

async function play(
  scenario: ChaosScenario,
  conductor: Conductor,
  { clock, undo }: RunDeps,
): Promise<Omit<Played, 'timeline' | 'totalMs'>> {
  const startedMs = clock.monotonicMs();
  const wallOffsetMs = clock.wallMs() - startedMs;
  const stage = new Stage(conductor, undo);
  try {
    await scenario.run(stage);
    const { timings } = conductor;
    const evidence = await conductor.evidence({ detectionMs: timings.watchdog.rules.unguardedMs });
    const facts = factsOf(scenario, stage, evidence, timings);
    return {
      ran: true,
      scenario: scenario.name,
      summary: scenario.summary,
      bus: withoutSecrets(conductor.cast.bus.url),
      facts,
      judgement: judgeScenario(facts),
      samples: stage.monitor.samples,
      recording: recordingOf({
        evidence,
        samples: stage.monitor.samples,
        startedMs,
        wallOffsetMs,
        onsetMs: stage.onsetMs,
        endedMs: stage.endedMs,
        recoveredMs: stage.recoveredMs,
      }),
      ...(stage.history === undefined ? {} : { history: stage.history }),
    };
  } finally {
    await stage.close();
    await conductor.close();
  }
}

/** In the place of a name: the sabotage that the scenario itself names. */
const OWN = 'own';

/** Throws a ConfigurationError for a sabotage that is none. */
function variantsOf({ variants, sabotage: own }: ChaosScenario, asked: string | undefined): ReadonlyMap<ActorRole, Variant> {
  const all = new Map<ActorRole, Variant>(variants);
  if (asked === undefined) return all;
  const sabotage = asked === OWN ? own.name : asked;
  const { role, name } = sabotage === ACCUSES_THE_LIVING ? { role: 'watchdog' as const, name: sabotage } : sabotageNamed(sabotage);
  all.set(role, { ...all.get(role), sabotage: name });
  return all;
}
