import { isVoter } from "../raft/quorum.js";
import type { LogIndex } from "../raft/types.js";
import type { Life } from "./life.js";
import type { Membership } from "./membership.js";
import type { ReplicaOptions } from "./options.js";
import type { PeerBook } from "./peer-book.js";
import { type ReplicaView, type SelfReport, viewOf, viewOutside } from "./report.js";
import type { SessionKeeper } from "./session-keeper.js";
import type { SnapshotFetching } from "./snapshot-fetching.js";
import type { StateDigests } from "./state-digests.js";

export const STOPPING = "The node is shutting down.";

/** How this node stands: what it tells its peers and whoever asks. */
export class Standing {
  readonly #options: ReplicaOptions;
  readonly #life: Life;
  readonly #membership: Membership;
  readonly #peers: PeerBook;
  readonly #sessions: SessionKeeper;
  readonly #fetching: SnapshotFetching;
  readonly #digests: StateDigests;
  readonly #appliedIndex: () => LogIndex;

  constructor(
    options: ReplicaOptions,
    parts: {
      readonly life: Life;
      readonly membership: Membership;
      readonly peers: PeerBook;
      readonly sessions: SessionKeeper;
      readonly fetching: SnapshotFetching;
      readonly digests: StateDigests;
      readonly appliedIndex: () => LogIndex;
    },
  ) {
    this.#options = options;
    this.#life = parts.life;
    this.#membership = parts.membership;
    this.#peers = parts.peers;
    this.#sessions = parts.sessions;
    this.#fetching = parts.fetching;
    this.#digests = parts.digests;
    this.#appliedIndex = parts.appliedIndex;
  }

  view(): ReplicaView {
    const self = this.selfReport();
    const { core } = this.#membership;
    return core === undefined ? viewOutside(self) : viewOf(core, self, this.#peers);
  }

  selfReport(): SelfReport {
    const { nodeId, restAddress, grpcAddress } = this.#options;
    return { nodeId, restAddress, grpcAddress, appliedIndex: this.#appliedIndex(), reason: this.#reasonUnready() };
  }

  #reasonUnready(): string {
    if (!this.#life.isServing) return STOPPING;
    const { core, reason } = this.#membership;
    if (reason !== "" || core === undefined) return reason;
    const { doubt } = this.#digests;
    if (doubt !== "") return doubt;
    if (core.leader === undefined) return this.#reasonLeaderless();
    // A voter would stand; a learner goes by the leader that it had.
    if (!core.hasQuorum && !isVoter(core.configuration, core.id)) return "The leader has not been heard for a while.";
    if (this.#fetching.isUnderway) return "The node is too far behind, and fetches a snapshot.";
    if (this.#sessions.session === 0) return "The node has not registered its session yet.";
    return "";
  }

  /** One that was removed while it was away is told of no leader: the others do not serve it any more. */
  #reasonLeaderless(): string {
    const { strangersTo, wayBack } = this.#membership;
    if (strangersTo.length === 0) return "No leader is known.";
    const peers = strangersTo.map((peer) => `node ${peer}`).join(" and ");
    return (
      `No leader is known, and the membership that ${peers} goes by has no seat for this node: it was removed while it ` +
      `was away. ${wayBack}`
    );
  }
}
