import { RaftCore } from "../../src/raft/core.js";
import { entrySize } from "../../src/raft/log.js";
import type { CoreOptions, Effects } from "../../src/raft/state.js";
import type {
  Configuration,
  HardState,
  InstalledSnapshot,
  LogIndex,
  NodeId,
  Position,
  RaftMessage,
  Term,
  Write,
} from "../../src/raft/types.js";
import * as content from "./log-content.js";
import { configurationAt, emptyLog, type LogContent, positionAt } from "./log-content.js";

/** A state that is on disk: what contains everything up to a position. */
export interface StoredState {
  readonly position: Position;
  readonly configuration: Configuration;
}

/** What survives a crash. */
export interface CoreDisk extends LogContent {
  hardState: HardState;
  /** Which state is in force: changed by the log's write alone. */
  generation: number;
  states: Map<number, StoredState>;
}

export function emptyDisk(baseConfiguration: Configuration): CoreDisk {
  return {
    ...emptyLog(baseConfiguration),
    hardState: { term: 0, votedFor: undefined },
    generation: 0,
    states: new Map(),
  };
}

/** A snapshot on its way: wanted, then taken at the sender, then built here. */
export interface Fetch {
  readonly from: NodeId;
  readonly least: LogIndex;
  /** What the sender had when its view was opened. */
  taken: { readonly state: StoredState; readonly term: Term } | undefined;
}

/** One core and the plainest possible host: a log in memory, a disk with one atomic write in flight. */
export class CoreNode {
  readonly disk: CoreDisk;
  readonly #options: CoreOptions;
  #core: RaftCore | undefined;
  /** The log as the core sees it, with bodies. */
  log: LogContent;
  write: Write | undefined;
  /** How far this life has applied; the state of an earlier life was checkpointed up to there. */
  appliedIndex: LogIndex = 0;
  fetch: Fetch | undefined;
  /** How far this node's clock runs ahead of the cluster's, ms. Never goes back. */
  aheadMs = 0;
  /** The state that the next write puts in force: until then, nothing is applied. */
  #installing: number | undefined;
  #lives = 0;
  #wipes = 0;

  constructor(options: CoreOptions, disk: CoreDisk) {
    this.#options = options;
    this.disk = disk;
    this.log = emptyLog(disk.baseConfiguration);
  }

  get id(): number {
    return this.#options.id;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  get core(): RaftCore {
    if (this.#core === undefined) throw new Error(`node ${this.id} is down`);
    return this.#core;
  }

  get checkpointIndex(): LogIndex {
    return this.disk.states.get(this.disk.generation)?.position.index ?? 0;
  }

  get isInstalling(): boolean {
    return this.#installing !== undefined;
  }

  start(now: number): void {
    const { hardState, base, baseConfiguration, entries, states, generation } = this.disk;
    for (const other of states.keys()) if (other !== generation) states.delete(other);
    const configurations = entries.flatMap(({ index, body }) =>
      body.kind === "configuration" ? [{ index, configuration: body.configuration }] : [],
    );
    this.#lives++;
    this.#core = new RaftCore(
      { ...this.#options, seed: (this.#options.seed + 7919 * this.#lives) >>> 0 },
      {
        hardState,
        log: {
          base,
          baseConfiguration,
          terms: entries.map(({ term }) => term),
          sizes: entries.map(entrySize),
          configurations,
        },
        commitIndex: this.checkpointIndex,
      },
      now,
    );
    this.log = { base, baseConfiguration, entries: [...entries] };
    this.appliedIndex = this.checkpointIndex;
  }

  /** The name of its directory: another one after it was wiped. */
  get storeId(): string {
    return this.#wipes === 0 ? `store-${this.id}` : `store-${this.id}-${this.#wipes}`;
  }

  /** A new, empty directory. The node must be down. */
  wipe(): void {
    if (this.isUp) throw new Error(`node ${this.id} is up`);
    this.#wipes++;
    Object.assign(this.disk, emptyDisk({ clusterId: "", members: [] }));
  }

  /** The first configuration that an empty node goes by: what it heard from a member. */
  found(configuration: Configuration, now: number): void {
    this.disk.baseConfiguration = configuration;
    this.start(now);
  }

  /** Everything in memory is gone; the write in flight happened or did not. */
  crash(fate: "durable" | "lost"): void {
    if (fate === "durable" && this.write !== undefined) this.#store(this.write);
    this.write = undefined;
    this.fetch = undefined;
    this.#installing = undefined;
    this.#core = undefined;
    this.log = emptyLog(this.disk.baseConfiguration);
  }

  /** The state machine's checkpoint: what was applied need not be committed again after a crash. */
  checkpoint(): void {
    if (this.isInstalling || this.appliedIndex <= this.checkpointIndex) return;
    const position = positionAt(this.log, this.appliedIndex);
    if (position === undefined) throw new Error(`node ${this.id} has applied what is not in its log`);
    const configuration = configurationAt(this.log, this.appliedIndex);
    this.disk.states.set(this.disk.generation, { position, configuration });
  }

  /** Cuts the log at the checkpoint, or below it. */
  compact(index: LogIndex, now: number): void {
    if (this.isInstalling) return;
    this.core.compact(Math.min(index, this.checkpointIndex), now);
    this.#followBase();
  }

  /** The node that was asked opens a view of its newest checkpoint. Undefined: it cannot serve. */
  openView(least: LogIndex): Fetch["taken"] {
    if (!this.isUp) return undefined;
    if (this.checkpointIndex < least) this.checkpoint();
    const state = this.disk.states.get(this.disk.generation);
    if (state === undefined || state.position.index < least) return undefined;
    return { state, term: this.core.term };
  }

  /** What was fetched is built and durable; the core may put it in force. */
  install({ state, term }: NonNullable<Fetch["taken"]>, now: number): boolean {
    const { disk } = this;
    const stateGeneration = Math.max(disk.generation, ...disk.states.keys()) + 1;
    const snapshot: InstalledSnapshot = { ...state, term, stateGeneration };
    disk.states.set(stateGeneration, state);
    if (this.core.installSnapshot(snapshot, now) === "overtaken") {
      disk.states.delete(stateGeneration);
      return false;
    }
    this.#installing = stateGeneration;
    this.#followBase();
    return true;
  }

  /** The list follows what the core did to its log. */
  #followBase(): void {
    const { base, configuration } = { base: this.core.state.log.base, configuration: this.core.state.log };
    if (base.index === this.log.base.index) return;
    const keepsTail = positionAt(this.log, base.index)?.term === base.term;
    content.cut(this.log, { position: base, configuration: configuration.configurationAt(base.index), keepsTail });
  }

  /** The end of a turn: takes the effects, applies what may be applied, begins the next write. */
  turn(now: number): { readonly effects: Effects; readonly messages: readonly RaftMessage[] } {
    const { core } = this;
    const effects = core.takeEffects(now);
    for (const entry of effects.appended) content.put(this.log, entry);
    const messages = effects.send.map((message): RaftMessage => {
      if (message.type !== "appendRequest") return message;
      const { firstIndex, lastIndex, ...request } = message;
      const begin = firstIndex - 1 - this.log.base.index;
      if (begin < 0) throw new Error(`node ${this.id} sends what its log does not hold`);
      return { ...request, entries: this.log.entries.slice(begin, lastIndex - this.log.base.index) };
    });
    if (effects.snapshotWanted !== undefined && !this.isInstalling) {
      this.fetch ??= { ...effects.snapshotWanted, taken: undefined };
    }
    this.write ??= core.takeWrite();
    if (!this.isInstalling) this.appliedIndex = Math.max(this.appliedIndex, core.applicableIndex);
    return { effects, messages };
  }

  /** The write in flight reaches the disk, and the core hears of it. */
  completeWrite(now: number): void {
    const { write } = this;
    if (write === undefined) return;
    this.#store(write);
    this.write = undefined;
    this.core.persisted(write.ticket, now);
    if (this.#installing !== undefined && write.log.base?.stateGeneration === this.#installing) {
      this.#installing = undefined;
      this.appliedIndex = this.checkpointIndex;
    }
  }

  #store({ log }: Write): void {
    const { disk } = this;
    if (log.hardState !== undefined) disk.hardState = log.hardState;
    content.apply(disk, log);
    const generation = log.base?.stateGeneration;
    if (generation !== undefined) {
      disk.states.delete(disk.generation);
      disk.generation = generation;
    }
  }
}
