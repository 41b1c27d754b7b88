import type { RaftCore } from "../raft/core.js";
import type { LogIndex, NodeId } from "../raft/types.js";
import type { ChangeMembersReply, ChangeMembersRequest, SnapshotAnswer } from "../transport/transport.js";
import { assemble, type Parts } from "./assembly.js";
import type { ReplicaOptions, ReplicaPorts } from "./options.js";
import type { Waiter } from "./proposals.js";
import type { ReadWaiter } from "./reads.js";
import type { ReplicaView } from "./report.js";
import { STOPPING } from "./standing.js";

/**
 * The host of the core: drains inputs, steps the core, persists, sends, applies, in turns (turn.ts).
 * Every effect reaches the world through ports, so the simulator runs this very code.
 */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #ports: ReplicaPorts;
  readonly #parts: Parts;

  /** @throws StorageFailure DAMAGED when log and state contradict each other. */
  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#parts = assemble(options, ports);
  }

  async start(): Promise<void> {
    const { hearing, membership, serving, upkeep, turn } = this.#parts;
    await this.#ports.transport.start({
      ...hearing.events,
      snapshotRequested: (from, least, done) => serving.open(from, least, done),
      membersChangeRequested: (request, done) => this.changeMembers(request, done),
      describeRequested: () => membership.describe(),
    });
    membership.start();
    upkeep.start();
    turn.wake();
  }

  /** Takes a command for a mounted machine; the waiter is called exactly once, later. */
  propose(
    command: { readonly machine: number; readonly payload: Uint8Array },
    deadlineMs: number,
    waiter: Waiter,
  ): void {
    const { life, proposals, turn } = this.#parts;
    if (!life.isServing) {
      waiter.fail("NOT_EXECUTED", STOPPING, 1000);
      return;
    }
    proposals.submit(command, this.#deadline(deadlineMs), waiter);
    turn.wake();
  }

  /** Calls back when this node's state is at least as new as everything committed before the call. */
  read(deadlineMs: number, waiter: ReadWaiter): void {
    const { life, reads, turn } = this.#parts;
    if (life.isStopped) {
      waiter.fail(STOPPING);
      return;
    }
    reads.add(waiter, this.#deadline(deadlineMs));
    turn.wake();
  }

  #deadline(waitMs: number): number {
    return this.#ports.clock.monotonic() + Math.min(waitMs, this.#options.requestDeadlineMs);
  }

  get appliedIndex(): LogIndex {
    return this.#parts.applier.appliedIndex;
  }

  /** Effective time of the newest applied entry, ms since the epoch. */
  get appliedTime(): number {
    return this.#parts.replicated.time;
  }

  /** For checkers: everything the core knows; undefined before this node has its seat. */
  get core(): RaftCore | undefined {
    return this.#parts.membership.core;
  }

  /** Who answers at an address that PEERS or JOIN names says that it belongs to that cluster; "": to none. */
  told(address: string, clusterId: string): void {
    this.#parts.membership.told(address, clusterId);
    this.#parts.turn.wake();
  }

  view(): ReplicaView {
    return this.#parts.standing.view();
  }

  get isLeader(): boolean {
    return this.core?.roleName === "leader";
  }

  /** Leads, and waits for its successor to take over. */
  get isHandingOver(): boolean {
    return this.isLeader && this.core?.acceptsProposals === false;
  }

  /** How many calls still wait for an answer here. */
  get waitingCount(): number {
    return this.#parts.proposals.waitingCount + this.#parts.reads.count;
  }

  /** Hands leadership to the given voter, else to the one that holds most of the log. */
  transferLeadership(target?: NodeId): boolean {
    const { core } = this;
    const { life, peers, turn } = this.#parts;
    if (core?.roleName !== "leader" || life.isStopped) return false;
    const chosen = target ?? peers.bestSuccessor(core);
    if (chosen === undefined) return false;
    let begun = false;
    life.guarded(() => {
      begun = core.transferLeadership(chosen, this.#ports.clock.monotonic());
    });
    turn.wake();
    return begun;
  }

  /**
   * Lets a node in, makes it a voter, removes it, or hands leadership over: by the leader only, and `done`
   * (called once, perhaps at once) hears of it when it has committed. To ask again does no harm.
   */
  changeMembers(request: ChangeMembersRequest, done: (reply: ChangeMembersReply) => void): void {
    const { life, changes, membership } = this.#parts;
    const nowhere = { leaderAddress: "", nodeId: 0 } as const;
    if (life.isStopping) done({ outcome: "refused", reason: STOPPING, ...nowhere });
    // Whoever was let in there would speak for a cluster that may not be the one it asked for.
    else if (membership.core !== undefined && membership.service !== "open") {
      done({ outcome: "notLeader", reason: membership.reason, ...nowhere });
    } else changes.request(request, done);
  }

  /**
   * A consistent copy of this node's state, for a backup: `done` is called once, perhaps at once. Whoever
   * gets the source closes it.
   */
  openSnapshot(done: (answer: SnapshotAnswer) => void): void {
    this.#parts.serving.open(undefined, this.appliedIndex, done);
  }

  /** Takes no new commands; those that wait are still answered. */
  drain(): void {
    this.#parts.life.drain();
  }

  /** Writes a last checkpoint and ends; what still waits is told so. The ports stay the caller's. */
  stop(): Promise<void> {
    const { life, applier, serving, fetching } = this.#parts;
    return life.stop((done) => {
      serving.stop(STOPPING);
      fetching.stop(STOPPING);
      applier.checkpoint(done);
    });
  }
}
