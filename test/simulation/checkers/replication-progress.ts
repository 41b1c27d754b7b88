import type { LogIndex, NodeId, Term } from "../../../src/raft/types.js";
import type { ReportViolation } from "./violation.js";
import type { WatchedNode } from "./watched-node.js";

/** What a leader believes of its peers' logs never shrinks within its term, and is true of their disks. */
export class ReplicationProgress {
  readonly #nodes: readonly WatchedNode[];
  readonly #report: ReportViolation;
  /** By leader: the term, and matchIndex by peer. */
  readonly #seen = new Map<NodeId, { term: Term; readonly matches: Map<NodeId, LogIndex> }>();

  constructor(nodes: readonly WatchedNode[], report: ReportViolation) {
    this.#nodes = nodes;
    this.#report = report;
  }

  /** After a step of the node. */
  check({ id, core }: WatchedNode): void {
    const role = core?.state.role;
    if (core === undefined || role?.name !== "leader") {
      this.#seen.delete(id);
      return;
    }
    let seen = this.#seen.get(id);
    if (seen?.term !== core.term) {
      seen = { term: core.term, matches: new Map() };
      this.#seen.set(id, seen);
    }
    for (const [peer, { matchIndex }] of role.progress) {
      const before = seen.matches.get(peer) ?? 0;
      if (matchIndex === before) continue;
      seen.matches.set(peer, matchIndex);
      if (matchIndex < before) {
        this.#report("monotonic matchIndex", `leader n${id} takes n${peer} back from entry ${before} to ${matchIndex}`);
      }
      const held = this.#nodes[peer - 1]?.durable.termAt(matchIndex);
      if (held === core.termAt(matchIndex)) continue;
      const text = `leader n${id} believes n${peer} holds its entry ${matchIndex} of term ${core.termAt(matchIndex)}, the disk has ${held}`;
      this.#report("matchIndex is true", text);
    }
  }
}
