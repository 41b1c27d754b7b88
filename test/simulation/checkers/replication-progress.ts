import type { RaftCore } from "../../../src/raft/core.js";
import type { LogIndex, NodeId, Position } from "../../../src/raft/types.js";
import type { Stores } from "./stores.js";
import type { ReportViolation } from "./violation.js";
import type { WatchedNode } from "./watched-node.js";

/** What a leader believes of its peers' logs never shrinks within its term, and is true of their stores. */
export class ReplicationProgress {
  readonly #stores: Stores;
  readonly #report: ReportViolation;
  /** matchIndex as it was last, by what the leader keeps of one peer in one term, for as long as that is a member. */
  readonly #matches = new WeakMap<object, LogIndex>();
  /** Which store a peer that departs was. */
  readonly #seats = new WeakMap<object, string>();

  constructor(stores: Stores, report: ReportViolation) {
    this.#stores = stores;
    this.#report = report;
  }

  /** After a step of the node. */
  check({ id, core }: WatchedNode): void {
    const role = core?.state.role;
    if (core === undefined || role?.name !== "leader") return;
    for (const [peer, progress] of role.progress) {
      const { matchIndex } = progress;
      const before = this.#matches.get(progress) ?? 0;
      if (matchIndex === before && this.#seats.has(progress)) continue;
      this.#matches.set(progress, matchIndex);
      if (matchIndex < before) {
        this.#report("monotonic matchIndex", `leader n${id} takes n${peer} back from entry ${before} to ${matchIndex}`);
      }
      this.#checkTruth(id, core, { peer, progress, matchIndex });
    }
  }

  #checkTruth(
    id: NodeId,
    core: RaftCore,
    { peer, progress, matchIndex }: { peer: NodeId; progress: object; matchIndex: LogIndex },
  ): void {
    const seat = core.configuration.members.find((member) => member.id === peer)?.storeId;
    if (seat !== undefined) this.#seats.set(progress, seat);
    const storeId = this.#seats.get(progress);
    if (storeId === undefined || matchIndex === 0) return;
    const durable = this.#stores.of({ storeId });
    // It was true when the peer said so: in a later term another leader may have truncated it since.
    if (durable !== undefined && durable.hardState.term > core.state.term) return;
    const term = core.termAt(matchIndex);
    // Below its own base the leader cannot tell the term any more: it has committed.
    const held =
      term === undefined ? (durable?.lastIndex ?? 0) >= matchIndex : holds(durable, { index: matchIndex, term });
    if (held) return;
    const text = `leader n${id} believes n${peer} holds its entry ${matchIndex} of term ${term}, the disk has ${durable?.termAt(matchIndex)}`;
    this.#report("matchIndex is true", text);
  }
}

function holds(durable: { holds(position: Position): boolean } | undefined, position: Position): boolean {
  return durable?.holds(position) === true;
}
