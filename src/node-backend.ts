import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Backend, ClusterView, Consistency, MemberView, ProposeOptions, Reading } from "./api/port.js";
import { OperatingFailure } from "./failure.js";
import type { Replica } from "./replica/replica.js";
import type { MemberReport } from "./replica/report.js";
import type { Command, SeedSettings } from "./sequence/command.js";
import { encodeCommand } from "./sequence/machine/command-codec.js";
import type { SequenceQueries } from "./sequence/machine/queries.js";
import { SEQUENCE_MACHINE_ID } from "./sequence/machine/sequence-machine.js";
import type { Query } from "./sequence/query.js";
import type { CommandResult } from "./sequence/result.js";

/** A node reads one page of its audit trail at a time; more than this in line only wait in vain. */
const AUDITS_WAITING_MAX = 64;

/** The edges' view of a node: typed commands and queries of the domain, over the replica. */
export class NodeBackend implements Backend {
  readonly #nodeId: number;
  readonly #replica: Replica;
  readonly #queries: SequenceQueries;
  readonly #requestDeadlineMs: number;
  readonly #wall: () => number;
  #writer = new BinaryWriter();
  #auditsWaiting = 0;
  readonly #seed: { readonly command: SeedSettings; readonly isApplied: () => boolean };

  /** Seeds that were proposed and have not been answered. */
  #seedsWaiting = 0;

  constructor(options: {
    readonly nodeId: number;
    readonly replica: Replica;
    readonly queries: SequenceQueries;
    readonly requestDeadlineMs: number;
    /** Milliseconds since the epoch. */
    readonly wall: () => number;
    /** The environment's seed of the replicated settings: it goes before anything that reads them. */
    readonly seed: { readonly command: SeedSettings; readonly isApplied: () => boolean };
  }) {
    this.#nodeId = options.nodeId;
    this.#replica = options.replica;
    this.#queries = options.queries;
    this.#requestDeadlineMs = options.requestDeadlineMs;
    this.#wall = options.wall;
    this.#seed = options.seed;
  }

  /**
   * Proposes the seed unless one was applied. A node's commands keep their order in the log, so
   * whatever follows finds the settings; should this attempt be lost, the next command brings its own.
   */
  seed(): void {
    if (this.#seed.isApplied()) return;
    const payload = encodeCommand(this.#seed.command);
    this.#seedsWaiting++;
    const ended = () => {
      this.#seedsWaiting--;
    };
    const waiter = { settle: ended, fail: ended };
    this.#replica.propose({ machine: SEQUENCE_MACHINE_ID, payload }, this.#requestDeadlineMs, waiter);
  }

  /** How many calls wait for an answer; for the seed nobody does. */
  get callsWaiting(): number {
    return this.#replica.waitingCount - this.#seedsWaiting;
  }

  propose(command: Command, options?: ProposeOptions): Promise<CommandResult> {
    this.seed();
    return new Promise((resolve, reject) => {
      const payload = this.#encode(command);
      this.#replica.propose({ machine: SEQUENCE_MACHINE_ID, payload }, options?.deadlineMs ?? this.#requestDeadlineMs, {
        // What the sequence machine's apply returns is a CommandResult; the replica carries it unread.
        settle: (result) => resolve(result as CommandResult),
        fail: (code, message, retryAfterMs) => reject(new OperatingFailure(code, message, retryAfterMs)),
      });
    });
  }

  #encode(command: Command): Uint8Array {
    try {
      return encodeCommand(command, this.#writer);
    } catch (error) {
      // A writer that was left in the middle of a command would prepend it to the next one.
      this.#writer = new BinaryWriter();
      throw error;
    }
  }

  async query(query: Query, consistency: Consistency): Promise<Reading> {
    if (query.kind !== "audit") return this.#read(query, consistency);
    if (this.#auditsWaiting >= AUDITS_WAITING_MAX) {
      throw new OperatingFailure("NOT_EXECUTED", "Too many audit reads are waiting at this node.", 1000);
    }
    this.#auditsWaiting++;
    try {
      return await this.#read(query, consistency);
    } finally {
      this.#auditsWaiting--;
    }
  }

  async #read(query: Query, consistency: Consistency): Promise<Reading> {
    if (consistency === "linearizable") await this.#caughtUp();
    const { appliedIndex, appliedTime } = this.#replica;
    // The state cannot be older than its newest entry, whatever this node's clock says.
    const answer = await this.#queries.run(query, Math.max(this.#wall(), appliedTime));
    const { leader, commitIndex, healthy } = this.#replica.view();
    const lag = Math.max(0, commitIndex - appliedIndex);
    return { answer, servedBy: this.#nodeId, leaderId: leader, appliedIndex, lag, clusterHealthy: healthy };
  }

  #caughtUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#replica.read(this.#requestDeadlineMs, {
        ready: resolve,
        fail: (message) => reject(new OperatingFailure("NOT_EXECUTED", message, 1000)),
      });
    });
  }

  cluster(): ClusterView {
    const view = this.#replica.view();
    const lastIndex = view.members.find(({ id }) => id === view.leader)?.lastIndex;
    return {
      clusterId: view.clusterId,
      nodeId: this.#nodeId,
      leaderId: view.leader,
      term: view.term,
      commitIndex: view.commitIndex,
      appliedIndex: view.appliedIndex,
      nodes: view.members.map((member) => memberView(member, lastIndex)),
      healthy: view.healthy,
      ready: view.ready,
      reason: view.reason,
    };
  }
}

function memberView(member: MemberReport, leaderLastIndex: number | undefined): MemberView {
  const { lastIndex } = member;
  const lag =
    leaderLastIndex === undefined || lastIndex === undefined ? undefined : Math.max(0, leaderLastIndex - lastIndex);
  return { ...member, role: roleOf(member), lag };
}

function roleOf({ kind, role, reachable }: MemberReport): MemberView["role"] {
  // What a node that is out of reach said last is no news of it.
  if (!reachable) return "unknown";
  if (kind === "learner") return "learner";
  return role === "preCandidate" ? "candidate" : role;
}
