/** Remembers uncleared halts and the highest epoch, and adds again what the bus has forgotten. */
import { type Clock, systemClock } from '../clock.js';
import { type DurableFiles, systemFiles } from '../durableFile.js';
import { messageOf, systemCodeOf } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { type Halt, isHalt, type TradingState } from '../messages/tradingState.js';
import { nodeCrypto } from '../onDemand.js';
import { derivedId } from '../random.js';
import { changeState } from './change.js';
import { recordWith, type StateBus } from './halt.js';
import type { StateDeps } from './options.js';
import { addHalt, hasHalt } from './transitions.js';

export interface HaltMemoryOptions {
  /** Where to keep it across restarts; fsynced. Absent: in this process only. */
  readonly file?: string;
  /** Where `file` is kept. Default: the file system. */
  readonly files?: DurableFiles;
  /** Who remembers, for the halts that it adds. Default `memory`. */
  readonly by?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export type ReassertOutcome =
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'reasserted'; readonly halts: readonly string[]; readonly epoch: number; readonly version: number }
  | { readonly outcome: 'unknown'; readonly detail: string };

export interface HaltMemory {
  /** Takes in what was read. True: the bus has forgotten something that this memory holds; `reassert` is due. */
  observe(state: TradingState): boolean;
  highestEpoch(): number;
  halts(): readonly Halt[];
  /** Reads afresh and adds what is forgotten there. Call it on each reconnect, change of the bus's identity, and regression. */
  reassert(bus: StateBus, deps?: StateDeps): Promise<ReassertOutcome>;
  /** Why the file cannot be relied on, if so. */
  problem(): string | undefined;
  /** Waits until what was observed so far is on the disk (or has failed, see `problem`). */
  saved(): Promise<void>;
}

/** What is remembered. `own` are halts that this memory itself asks for, until a state is seen to hold them. */
export interface Remembered {
  readonly epoch: number;
  readonly halts: readonly Halt[];
  readonly own: readonly Halt[];
}

export interface Recollection {
  readonly next: Remembered;
  /** Halts to add again. */
  readonly forgotten: readonly Halt[];
}

/** Decides what a state that was read adds to the memory, and what it lacks. A halt ends with a higher epoch, never otherwise. */
export function recollect(memory: Remembered, state: TradingState, by: string, wallMs: number): Recollection {
  const own = memory.own.filter((halt) => !hasHalt(state, halt.id));
  if (state.epoch > memory.epoch) return { next: { epoch: state.epoch, halts: state.halts, own }, forgotten: own };
  const missing = memory.halts.filter((halt) => !hasHalt(state, halt.id));
  if (state.epoch === memory.epoch) {
    return { next: { epoch: memory.epoch, halts: [...state.halts, ...missing], own }, forgotten: [...missing, ...own] };
  }
  const regression: Halt = {
    id: `forgotten-epoch/${memory.epoch}/${state.epoch}`,
    kind: 'doubt',
    by,
    reason: `the bus says epoch ${state.epoch}, but epoch ${memory.epoch} was seen: it has forgotten what came between`,
    sinceWallMs: wallMs,
  };
  return { next: { ...memory, own }, forgotten: [regression, ...missing, ...own] };
}

const checksum = (text: string): string => nodeCrypto().createHash('sha256').update(text).digest('hex');

function load(files: DurableFiles, file: string): Remembered | string {
  let text: string;
  try {
    text = files.read(file);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return { epoch: 0, halts: [], own: [] };
    return messageOf(error);
  }
  try {
    const [body = '', sum = ''] = text.split('\n');
    if (checksum(body) !== sum) return 'its checksum does not match';
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return 'it holds no memory';
    const { epoch, halts, own } = parsed as Partial<Record<keyof Remembered, unknown>>;
    if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch) || epoch < 0) return 'its epoch is not a whole number';
    if (!Array.isArray(halts) || !halts.every(isHalt) || !Array.isArray(own) || !own.every(isHalt)) return 'its halts are malformed';
    return { epoch, halts, own };
  } catch (error) {
    return messageOf(error);
  }
}

async function save(files: DurableFiles, file: string, memory: Remembered): Promise<void> {
  const body = JSON.stringify(memory);
  await files.replace(file, `${body}\n${checksum(body)}\n`);
}

class StoredHaltMemory implements HaltMemory {
  readonly #file: string | undefined;
  readonly #files: DurableFiles;
  readonly #by: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #memory: Remembered = { epoch: 0, halts: [], own: [] };
  #problem: string | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: HaltMemoryOptions) {
    this.#file = options.file;
    this.#files = options.files ?? systemFiles;
    this.#by = options.by ?? 'memory';
    this.#clock = options.clock ?? systemClock;
    this.#logger = isolatedLogger(options.logger);
    if (this.#file === undefined) return;
    const loaded = load(this.#files, this.#file);
    if (typeof loaded === 'string') this.#startInDoubt(this.#file, loaded);
    else this.#memory = loaded;
  }

  #startInDoubt(file: string, problem: string): void {
    this.#problem = `${file} cannot be read: ${problem}`;
    const sinceWallMs = this.#clock.wallMs();
    const own: Halt = {
      id: `halt-memory/${derivedId(`${file}/${sinceWallMs}`)}`,
      kind: 'doubt',
      by: this.#by,
      reason: `what ${this.#by} remembered of earlier halts is lost: ${this.#problem}`,
      sinceWallMs,
    };
    this.#memory = { epoch: 0, halts: [], own: [own] };
    this.#logger.error({ file, problem }, 'the memory of halts cannot be read: trading will be halted');
  }

  observe(state: TradingState): boolean {
    const { next, forgotten } = recollect(this.#memory, state, this.#by, this.#clock.wallMs());
    this.#remember(next);
    return forgotten.length > 0;
  }

  highestEpoch(): number {
    return this.#memory.epoch;
  }

  halts(): readonly Halt[] {
    return [...this.#memory.halts, ...this.#memory.own];
  }

  problem(): string | undefined {
    return this.#problem;
  }

  saved(): Promise<void> {
    return this.#saving;
  }

  async reassert(bus: StateBus, deps: StateDeps = {}): Promise<ReassertOutcome> {
    const clock = deps.clock ?? this.#clock;
    let added: readonly Halt[] = [];
    const result = await changeState(
      bus,
      ({ state }) => {
        const { forgotten } = recollect(this.#memory, state, this.#by, clock.wallMs());
        if (forgotten.length === 0) return { done: true };
        added = forgotten;
        const restored = forgotten.reduce(addHalt, state);
        // They stand there already, kept together with others.
        if (restored === state && state.epoch >= this.#memory.epoch) return { done: true };
        return { write: { ...restored, epoch: Math.max(state.epoch, this.#memory.epoch) } };
      },
      { ...deps, clock },
    );
    if (result.outcome !== 'committed') {
      return { outcome: 'unknown', detail: result.outcome === 'unknown' ? result.detail : 'the state was not changed' };
    }
    this.observe(result.state);
    if (!result.changed) return { outcome: 'nothing' };
    const halts = added.map((halt) => halt.id);
    await recordWith(bus, { ...deps, clock }, this.#by, {
      event: 'state.reasserted',
      cause: 'the bus had forgotten halts or an epoch',
      details: { halts, epoch: result.state.epoch, version: result.version },
    });
    return { outcome: 'reasserted', halts, epoch: result.state.epoch, version: result.version };
  }

  #remember(next: Remembered): void {
    const changed = JSON.stringify(next) !== JSON.stringify(this.#memory);
    this.#memory = next;
    const file = this.#file;
    if (!changed || file === undefined) return;
    this.#saving = this.#saving.then(() => this.#save(file, next));
  }

  async #save(file: string, memory: Remembered): Promise<void> {
    // A newer state has been observed meanwhile, and its own save stands in line.
    if (memory !== this.#memory) return;
    try {
      await save(this.#files, file, memory);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = `${file} cannot be written: ${messageOf(error)}`;
      this.#logger.error({ file, error: messageOf(error) }, 'the memory of halts cannot be written: a restart would forget them');
    }
  }
}

/** A file that cannot be read is a halt of kind `doubt`, asked for until the state holds it. */
export function createHaltMemory(options: HaltMemoryOptions = {}): HaltMemory {
  return new StoredHaltMemory(options);
}
