import type { Hello, TransportEvents } from "../transport/transport.js";

type PeerRequests = Pick<TransportEvents, "snapshotRequested" | "membersChangeRequested" | "describeRequested">;

/** What this node answers to those who ask outside of a stream. */
export function peerRequests(hello: () => Hello): PeerRequests {
  return {
    snapshotRequested: (_from, _least, done) => done({ refusal: "this node sends no snapshots" }),
    membersChangeRequested: (_request, done) => {
      const reason = "This node takes no changes of membership by request.";
      done({ outcome: "refused", reason, leaderAddress: "", nodeId: 0 });
    },
    describeRequested: () => {
      const { nodeId, storeId, clusterId, empty, version } = hello();
      return { nodeId, storeId, clusterId, empty, version };
    },
  };
}
