import { createHash } from "node:crypto";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../assert.js";
import { Batch, Group, JournalBlock } from "../generated/folio/log/v1/log.js";
import type { LogIndex } from "../raft/types.js";
import type { StateStore } from "../storage/state-store.js";

/**
 * The journal: audit trail and event stream at once. Append-only, one block per log entry that
 * carried commands: the entry's own payload and a compact record of each outcome, linked by
 * SHA-256 to the block before it.
 */
export interface JournaledCommand {
  /** 0-based place in the entry; `<index>-<ordinal>` is the command's message id. */
  readonly ordinal: number;
  readonly session: number;
  readonly request: number;
  readonly machine: number;
  readonly payload: Uint8Array;
  /** Empty: the command did not act. */
  readonly record: Uint8Array;
}

export interface JournalEntry {
  readonly index: LogIndex;
  /** Entry time, ms. */
  readonly time: number;
  readonly commands: readonly JournaledCommand[];
}

const INDEX_DIGITS = 16;

/** Fixed-width, so that the order of keys is the order of entries. */
export function indexKey(index: LogIndex): string {
  return String(index).padStart(INDEX_DIGITS, "0");
}

export function journalKey(index: LogIndex): string {
  return `j/${indexKey(index)}`;
}

/** Reads one block; undefined if the entry left none. Synchronous, for queries and for apply. */
export function readJournal(state: StateStore, index: LogIndex): JournalEntry | undefined {
  const bytes = state.get(journalKey(index));
  if (bytes === undefined) return undefined;
  const block = JournalBlock.decode(bytes);
  invariant(block.index === index, "a journal block is stored under its own index");
  const commands: JournaledCommand[] = [];
  for (const groupBytes of Batch.decode(block.payload).groups) {
    const group = Group.decode(groupBytes);
    for (const { request, machine, payload } of group.commands) {
      const ordinal = commands.length;
      const record = block.results[ordinal];
      invariant(record !== undefined, "a journal block has one record per command");
      commands.push({ ordinal, session: group.session, request, machine, payload, record });
    }
  }
  return { index, time: block.time, commands };
}

/** Appends blocks in order and keeps the head of the chain. */
export class Journal {
  readonly #state: StateStore;
  readonly #writer = new BinaryWriter();
  #headHash: Uint8Array;

  /** @param headHash SHA-256 of the newest block; empty before the first. */
  constructor(state: StateStore, headHash: Uint8Array) {
    this.#state = state;
    this.#headHash = headHash;
  }

  get headHash(): Uint8Array {
    return this.#headHash;
  }

  append(entry: { index: LogIndex; time: number; payload: Uint8Array; results: Uint8Array[] }): void {
    const block = JournalBlock.encode({ ...entry, previousHash: this.#headHash }, this.#writer).finish();
    this.#headHash = createHash("sha256").update(block).digest();
    this.#state.put(journalKey(entry.index), block);
  }
}
