import { invariant } from "../assert.js";
import { Batch, Group, SessionCommand } from "../generated/folio/log/v1/log.js";
import { type OwnOutcomes, ReplicatedState, SESSION_MACHINE_ID } from "../machine/replicated-state.js";
import type { Configuration, Entry, EntryBody, LogCut, Position } from "../raft/types.js";
import type { Command } from "../sequence/command.js";
import { encodeCommand } from "../sequence/machine/command-codec.js";
import { SEQUENCE_MACHINE_ID, SequenceMachine } from "../sequence/machine/sequence-machine.js";
import type { CommandResult } from "../sequence/result.js";
import { checkpoint, type Stores, writeLog } from "./stores.js";

const ENTRIES_PER_READ = 256;
const CHECKPOINT_BYTES = 8 * 1024 * 1024;

/**
 * A node without a cluster: writes entries behind everything that its log holds and applies them, as
 * the only member that there is from then on. What it leaves behind is what a node leaves that led alone: log,
 * state, journal and sessions of the same history.
 */
export class OfflineNode {
  /** Of the newest entry: read it freely between two calls. */
  readonly machine: SequenceMachine;
  readonly #stores: Stores;
  readonly #replicated: ReplicatedState;
  readonly #nodeId: number;
  readonly #nonce: string;
  readonly #results = new Map<number, unknown>();
  #end: Position;
  #session = 0;
  #request = 0;

  /**
   * @param end the last entry of the log
   * @param nonce used once in all time
   */
  constructor(stores: Stores, options: { readonly nodeId: number; readonly nonce: string; readonly end: Position }) {
    this.#stores = stores;
    this.#nodeId = options.nodeId;
    this.#nonce = options.nonce;
    this.#end = options.end;
    this.machine = new SequenceMachine(stores.state);
    this.#replicated = new ReplicatedState(stores.state, [this.machine]);
  }

  /** The last entry of the log; all of it is applied after `lead`. */
  get end(): Position {
    return this.#end;
  }

  /** Effective time of what was applied last, ms. */
  get time(): number {
    return this.#replicated.time;
  }

  /**
   * Opens a new term as the configuration's only voter. One write makes that so for ever: what the log held
   * before counts as committed. Then all of it is applied, and every session of another store closes.
   * @param term later than any that this store knows
   * @param base where the log begins from then on; undefined: as it is
   */
  async lead(configuration: Configuration, term: number, base?: LogCut): Promise<void> {
    const entry: Entry = { index: this.#end.index + 1, term, body: { kind: "configuration", configuration } };
    const hardState = { term, votedFor: this.#nodeId };
    await writeLog(this.#stores.log, { hardState, ...(base === undefined ? {} : { base }), entries: [entry] });
    this.#end = { index: entry.index, term: entry.term };
    await this.#applyLog();
  }

  /** Journalled as one entry, with `time` as its stamp: what became of each. */
  async run(commands: readonly Command[], time: number): Promise<readonly CommandResult[]> {
    if (this.#session === 0) await this.#register(time);
    const first = this.#request + 1;
    this.#request += commands.length;
    const tagged = commands.map((command, place) => ({
      request: first + place,
      machine: SEQUENCE_MACHINE_ID,
      payload: encodeCommand(command),
    }));
    const group = Group.encode({ session: this.#session, lowWater: first, commands: tagged }).finish();
    await this.#append({ kind: "command", payload: Batch.encode({ time, groups: [group] }).finish() });
    return tagged.map(({ request }) => {
      invariant(this.#results.has(request), "every command of an open session acts");
      // What the sequence machine's apply returns.
      const result = this.#results.get(request) as CommandResult;
      this.#results.delete(request);
      return result;
    });
  }

  /** Everything that was applied becomes durable in the state. */
  async checkpoint(): Promise<void> {
    this.#replicated.flush();
    await checkpoint(this.#stores.state);
  }

  async #register(time: number): Promise<void> {
    const value = { nodeId: this.#nodeId, storeId: this.#stores.log.storeId, nonce: this.#nonce };
    const payload = SessionCommand.encode({ body: { $case: "register", value } }).finish();
    const commands = [{ request: 0, machine: SESSION_MACHINE_ID, payload }];
    const group = Group.encode({ session: 0, lowWater: 0, commands }).finish();
    await this.#append({ kind: "command", payload: Batch.encode({ time, groups: [group] }).finish() });
    invariant(this.#session !== 0, "the only member of a cluster may open a session");
  }

  async #append(body: EntryBody): Promise<void> {
    const entry: Entry = { index: this.#end.index + 1, term: this.#end.term, body };
    await writeLog(this.#stores.log, { entries: [entry] });
    this.#end = { index: entry.index, term: entry.term };
    await this.#applyLog();
  }

  /** All that the log holds behind the state. */
  async #applyLog(): Promise<void> {
    const { log, state } = this.#stores;
    while (this.#replicated.applied.index < this.#end.index) {
      const first = this.#replicated.applied.index + 1;
      const last = Math.min(this.#end.index, first + ENTRIES_PER_READ - 1);
      for (const entry of log.read(first, last)) this.#replicated.apply(entry, this.#own);
      if (state.overlayBytes >= CHECKPOINT_BYTES) await this.checkpoint();
    }
  }

  get #own(): OwnOutcomes {
    return {
      session: this.#session,
      nonce: this.#nonce,
      registered: (session) => {
        this.#session = session;
      },
      settled: (request, result) => this.#results.set(request, result),
    };
  }
}
