import { Batch, Group } from "../../src/generated/folio/log/v1/log.js";
import { ReplicatedState } from "../../src/machine/replicated-state.js";
import type { Configuration, Entry, EntryBody, LogIndex, Position, Term } from "../../src/raft/types.js";
import type { Command } from "../../src/sequence/command.js";
import { encodeCommand } from "../../src/sequence/machine/command-codec.js";
import { SEQUENCE_MACHINE_ID, SequenceMachine } from "../../src/sequence/machine/sequence-machine.js";
import type { CommandResult } from "../../src/sequence/result.js";
import type { DiskRow } from "../../src/storage/disk.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import type { StateStore } from "../../src/storage/state-store.js";
import { registrationOf } from "./world.js";

/** Stores are named as `registrationOf` names them. */
export const FOUNDERS: Configuration = {
  clusterId: "c0ffee",
  members: [1, 2, 3].map((id) => ({ id, kind: "voter", storeId: `store-${id}`, address: `node-${id}:7070` })),
};

/** Tagged: (session, request). */
export interface Tagged {
  readonly session: number;
  readonly request: number;
  readonly command: Command;
}

/** Writes a log, entry by entry, behind what is there. */
export class LogWriter {
  readonly entries: Entry[] = [];
  readonly #after: LogIndex;
  term: Term;
  /** ms since the epoch. */
  time = Date.UTC(2026, 10, 20, 8);

  constructor(after: Position = { index: 0, term: 1 }) {
    this.#after = after.index;
    this.term = after.term;
  }

  append(body: EntryBody): Entry {
    const entry: Entry = { index: this.#after + this.entries.length + 1, term: this.term, body };
    this.entries.push(entry);
    return entry;
  }

  register(nodeId: number, nonce = `life ${nodeId}`): Entry {
    return this.#command([registrationOf(nodeId, nonce)]);
  }

  registerStore(nodeId: number, storeId: string, nonce: string): Entry {
    return this.#command([registrationOf(nodeId, nonce, storeId)]);
  }

  /** One entry, a group for each. */
  run(tagged: readonly Tagged[], lowWater = 1): Entry {
    return this.#command(
      tagged.map(({ session, request, command }) => {
        const commands = [{ request, machine: SEQUENCE_MACHINE_ID, payload: encodeCommand(command) }];
        return Group.encode({ session, lowWater, commands }).finish();
      }),
    );
  }

  /** One command of a session. */
  one(session: number, request: number, command: Command): Entry {
    return this.run([{ session, request, command }]);
  }

  #command(groups: Uint8Array[]): Entry {
    return this.append({ kind: "command", payload: Batch.encode({ time: this.time, groups }).finish() });
  }
}

/** The replicated state of numbers, on a disk in memory. */
export class SequenceNode {
  readonly disk: MemoryDisk;
  readonly state: StateStore;
  readonly machine: SequenceMachine;
  readonly replicated: ReplicatedState;
  readonly #deferred: (() => void)[] = [];

  constructor(disk = new MemoryDisk()) {
    this.disk = disk;
    const defer = (callback: () => void) => this.#deferred.push(callback);
    this.state = openMemoryStateStore({ disk, nodeId: 1, storeId: "0".repeat(32), defer });
    this.machine = new SequenceMachine(this.state);
    this.replicated = new ReplicatedState(this.state, [this.machine]);
  }

  /** What the commands of a session came to, by request. */
  apply(entry: Entry, session = 0): Map<number, CommandResult> {
    const results = new Map<number, CommandResult>();
    this.replicated.apply(entry, {
      session,
      nonce: "nobody's",
      registered: () => undefined,
      settled: (request, result) => results.set(request, result as CommandResult),
    });
    return results;
  }

  checkpoint(): void {
    this.replicated.flush();
    this.state.checkpoint((failure) => {
      if (failure !== undefined) throw failure;
    });
    for (const run of this.#deferred.splice(0)) run();
  }

  /** Every row of the newest checkpoint, as bytes. */
  rows(): DiskRow[] {
    return this.disk.rows(EVERY_ROW);
  }
}

/** All but what the store keeps for itself. */
const EVERY_ROW = { gte: '"', lt: "\x7f" };

/** A node that was made of another one's newest checkpoint, and of nothing else. */
export function madeOf(node: SequenceNode): SequenceNode {
  const fresh = new SequenceNode();
  fresh.disk.crash("lost");
  fresh.disk.apply(node.rows().map(([key, value]) => ({ type: "put", key, value })));
  return new SequenceNode(fresh.disk);
}
