import { createHash } from "node:crypto";
import type { LogIndex, Position } from "../raft/types.js";

/**
 * A short name for all that was applied up to an entry: two nodes with different digests at one index
 * have applied different things, or came to different results.
 */
export interface StateDigest {
  readonly index: LogIndex;
  /** 16 bytes. */
  readonly hash: Uint8Array;
}

export interface DigestedState {
  readonly applied: Position;
  /** Effective time, ms. */
  readonly time: number;
  /** SHA-256 of the newest block: with the chain behind it, every payload and every record so far. */
  readonly journalHead: Uint8Array;
  /** Encoded; empty before the first. */
  readonly configuration: Uint8Array;
  readonly configurationIndex: LogIndex;
  readonly sessions: number;
}

const HASH_BYTES = 16;

/**
 * Made of what a StateHeader stores, and of nothing else: so it is the same after a restart, and on a
 * node that installed a snapshot instead of applying the entries. Hashes about a hundred bytes.
 */
export function digestOf(state: DigestedState): StateDigest {
  const { applied, time, journalHead, configuration, configurationIndex, sessions } = state;
  const { index, term } = applied;
  const numbers = [index, term, time, configurationIndex, sessions, journalHead.length].join(" ");
  const hash = createHash("sha256").update(`${numbers}\n`, "latin1").update(journalHead).update(configuration);
  return { index, hash: new Uint8Array(hash.digest().subarray(0, HASH_BYTES)) };
}
