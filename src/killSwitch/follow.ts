/** Follows one source: reads it at once, at every hint and at every poll, and gives up on a read that does not end. */
import { type Clock, quietTimers } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import { isolated } from '../logger.js';
import { quietSleep } from '../tradingState/tail.js';
import { NEVER_READ, type Observation } from './decide.js';
import { HINT_GAP_MS, type KillSwitchConfig } from './options.js';
import type { KillSwitchSource, OpenSource, Opinion } from './source.js';

type FollowConfig = Pick<KillSwitchConfig, 'clock' | 'logger' | 'pollMs' | 'maxStalenessMs'>;

function doubtOf({ name }: KillSwitchSource, reason: string): Opinion {
  return { says: 'doubt', from: name, reason };
}

/** Made once: an abort without a reason makes an error with a stack of its own. */
const ANSWERED = new DOMException('the attempt is over', 'AbortError');

const SAYS: readonly unknown[] = ['off', 'halted', 'doubt', 'nothing'] satisfies Opinion['says'][];

// A source may be of another version, or written without types: what nobody here knows must not pass for a consent.
function isOpinion(value: unknown): value is Opinion {
  const { says, from, reason }: Partial<Record<string, unknown>> = Object.assign({}, value);
  return SAYS.includes(says) && typeof from === 'string' && (says === 'off' || typeof reason === 'string');
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined));
  });
}

/** One read at a time counts: the answer of one that was given up on comes too late, whatever it says. */
export class SourceFollower {
  readonly source: KillSwitchSource;
  /** Resolves when the first attempt has ended, well or not, or the follower was stopped. */
  readonly attempted: Promise<void>;
  readonly #config: FollowConfig;
  readonly #clock: Clock;
  readonly #open: OpenSource;
  readonly #observed: () => void;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #observation: Observation;
  #unanswered = 0;
  #hinted = false;
  #giveUp: AbortController | undefined;
  #rest: AbortController | undefined;
  #endFirstAttempt: () => void = () => undefined;

  /** `observed` is called after each attempt. */
  constructor(source: KillSwitchSource, config: FollowConfig, observed: () => void) {
    this.source = source;
    this.#config = config;
    this.#clock = config.clock;
    this.#observed = observed;
    this.#observation = { source, opinion: doubtOf(source, 'has not been read yet'), sent: NEVER_READ };
    this.attempted = new Promise((resolve) => {
      this.#endFirstAttempt = resolve;
    });
    const { clock, logger, maxStalenessMs } = config;
    this.#open = source.open({ clock, logger, maxStalenessMs, changed: () => this.#hint() });
    this.#running = this.#run();
  }

  get observation(): Observation {
    return this.#observation;
  }

  /** Nothing is observed any more. Resolves when nothing of it is left but reads that hang. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#giveUp?.abort();
    this.#rest?.abort();
    isolated(() => this.#open.close());
    await this.#running;
  }

  #hint(): void {
    this.#hinted = true;
    this.#rest?.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for (let isFirst = true; !signal.aborted; isFirst = false) {
        this.#hinted = false;
        await this.#attempt(isFirst);
        this.#endFirstAttempt();
        await this.#pause();
      }
    } catch (error) {
      // A clock that throws: there is no way to go on.
      this.#observe(doubtOf(this.source, `is not followed any more: ${messageOf(error)}`));
    } finally {
      this.#endFirstAttempt();
    }
  }

  async #attempt(isFirst: boolean): Promise<void> {
    const sent = { sentMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    const call = this.#call(giveUp.signal);
    // While a caller may wait for the first answer the process must not end for want of anything to do.
    const timers = isFirst ? this.#clock : quietTimers(this.#clock);
    const answer = await settleWithin(timers, Promise.race([call, aborted(giveUp.signal)]), this.#config.maxStalenessMs);
    giveUp.abort(ANSWERED);
    if (this.#stopping.signal.aborted) return;
    if (answer.settled && answer.value !== undefined) this.#observe(answer.value, sent);
    else this.#abandon(call);
  }

  async #call(signal: AbortSignal): Promise<Opinion> {
    try {
      const answer: unknown = await this.#open.read(signal);
      return isOpinion(answer) ? answer : doubtOf(this.source, 'answered something that is no opinion');
    } catch (error) {
      return doubtOf(this.source, `cannot be read: ${messageOf(error)}`);
    }
  }

  #abandon(call: Promise<Opinion>): void {
    this.#unanswered += 1;
    void call.then(() => {
      this.#unanswered -= 1;
      this.#hint();
    });
    this.#observe(doubtOf(this.source, `has not answered within ${this.#config.maxStalenessMs} ms`));
  }

  #observe(opinion: Opinion, sent = this.#observation.sent): void {
    this.#observation = { source: this.source, opinion, sent };
    isolated(this.#observed);
  }

  async #pause(): Promise<void> {
    const { waits, maxUnanswered } = this.source;
    if (this.#unanswered >= maxUnanswered) await this.#untilAnswered(maxUnanswered);
    else if (this.#hinted) await quietSleep(this.#clock, HINT_GAP_MS, this.#stopping.signal);
    else if (!waits || this.#observation.opinion.says === 'doubt') await this.#untilHintOr(this.#config.pollMs);
  }

  // A further read would only hang as well, and take one more thread or socket with it.
  async #untilAnswered(maxUnanswered: number): Promise<void> {
    while (this.#unanswered >= maxUnanswered && !this.#stopping.signal.aborted) await this.#untilHintOr(this.#config.maxStalenessMs);
  }

  async #untilHintOr(delayMs: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const rest = new AbortController();
    this.#rest = rest;
    await quietSleep(this.#clock, delayMs, rest.signal);
  }
}
