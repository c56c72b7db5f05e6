/** Runs an exit brain as a process of its own: read the book, decide, say so; over and over. */
import type { Broker, Position, WorkingOrder } from '../broker/broker.js';
import { openBroker } from '../brokers/openBroker.js';
import { checkDurationMs, checkName } from '../checks.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import { createExitBrain, type ExitBrain } from '../exitBrain/exitBrain.js';
import type { ExitBrainOptions } from '../exitBrain/options.js';
import { hostIdentity } from '../host.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import { type Decide, hold, loadDecide } from './decideModule.js';
import { type BrokerSeams, type BusSeams, type RoleDeps, untilAborted, withBroker, withBus } from './role.js';
import { scaledTimings } from './scale.js';

export interface ExitBrainRoleConfig {
  readonly bus: string;
  readonly broker: string;
  /** Default `default`. */
  readonly account?: string;
  readonly environment?: string;
  /** The name under which the watchdog knows this brain. Default `exit-brain`. */
  readonly serviceId?: string;
  /** A module whose default export decides. Default: hold. */
  readonly decide?: string;
  /** Pause between two evaluations. Default 250 ms, scaled. */
  readonly decideMs?: number;
  /** When a broker call surely ends. Default 2,000 ms, scaled. */
  readonly brokerTimeoutMs?: number;
  /** Default 1. */
  readonly scale?: number;
}

export interface ExitBrainSeams extends BusSeams, BrokerSeams {
  readonly create?: (options: ExitBrainOptions) => ExitBrain;
  readonly decide?: Decide;
}

export const DEFAULT_SERVICE_ID = 'exit-brain';

export interface EvaluationLoop {
  readonly brain: Pick<ExitBrain, 'decided' | 'degraded'>;
  readonly broker: Pick<Broker, 'positions' | 'openOrders'>;
  readonly decide: Decide;
  readonly decideMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface Book {
  readonly positions: readonly Position[];
  readonly orders: readonly WorkingOrder[];
}

async function readBook({ broker, signal }: EvaluationLoop): Promise<Book> {
  const [positions, orders] = await Promise.all([broker.positions(signal), broker.openOrders(signal)]);
  return { positions, orders };
}

/** One evaluation. A book that cannot be read, or a decide function that fails, is no decision. */
async function evaluate(loop: EvaluationLoop): Promise<void> {
  const { brain, clock, decide, signal } = loop;
  const startedMs = clock.monotonicMs();
  let step = 'the book cannot be read';
  try {
    const book = await readBook(loop);
    step = 'the decide function failed';
    await decide({ ...book, signal });
    brain.decided({ activePositions: book.positions.length, latencyMs: clock.monotonicMs() - startedMs });
  } catch (error) {
    if (signal.aborted) return;
    brain.degraded(`${step}: ${messageOf(error)}`);
    isolatedLogger(loop.logger).warn({ error: messageOf(error) }, step);
  }
}

/** Evaluates until the signal aborts. */
export async function evaluateForEver(loop: EvaluationLoop): Promise<void> {
  while (!loop.signal.aborted) {
    // Waited for without a bound: a decide function that hangs is a brain that hangs.
    await evaluate(loop);
    await loop.clock.sleep(loop.decideMs, loop.signal);
  }
}

/** Runs until the signal aborts, then says goodbye. Throws ConfigurationError or BusUnsuitableError where it cannot begin. */
export async function runExitBrainRole(config: ExitBrainRoleConfig, deps: RoleDeps<ExitBrainSeams>): Promise<void> {
  const { signal, clock, logger, random, seams } = deps;
  const scaled = scaledTimings(config.scale);
  const account = checkName('account', config.account ?? DEFAULT_ACCOUNT);
  const serviceId = checkName('serviceId', config.serviceId ?? DEFAULT_SERVICE_ID);
  const decideMs = checkDurationMs('decideMs', config.decideMs ?? scaled.exitBrain.decideMs, { min: 1 });
  const timeoutMs = checkDurationMs('brokerTimeoutMs', config.brokerTimeoutMs ?? scaled.brokerTimeoutMs, { min: 1 });
  const decide = seams?.decide ?? (config.decide === undefined ? hold : await loadDecide(config.decide));
  const environment = config.environment === undefined ? {} : { environment: config.environment };
  const opened = await openBroker(config.broker, { account, ...environment, timeoutMs, source: serviceId, clock });
  await withBroker(opened, logger, () =>
    withBus(config.bus, deps, async (bus) => {
      const { intervalMs, decisionStallMs } = scaled.exitBrain;
      const create = seams?.create ?? createExitBrain;
      const brain = create({
        bus,
        serviceId,
        account,
        intervalMs,
        decisionStallMs,
        clock: seams?.clock ?? clock,
        logger,
        ...(random === undefined ? {} : { random }),
      });
      try {
        deps.onReady?.({ ready: 'exit-brain', id: serviceId, pid: hostIdentity().pid, bus: bus.url });
        const broker = seams?.wrapBroker?.(opened) ?? opened;
        const loop = evaluateForEver({ brain, broker, decide, decideMs, clock, logger, signal });
        await Promise.race([loop, untilAborted(signal)]);
        const said = await brain.goodbye();
        if (said.outcome !== 'committed') logger.warn({ said }, 'the watchdog may not have been told of this planned end');
      } finally {
        await brain.close();
      }
    }),
  );
}
