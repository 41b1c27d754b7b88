import type { Member } from "../raft/types.js";
import type { FormerSeat, LostSeat } from "./lost-seat.js";

/** How a node is started whose seat was freed and whose directory was set aside, so that it becomes what it was. */
export function rejoinSteps({ nodeId, dataDir, join }: LostSeat, { seat, isAssigned }: FormerSeat): string {
  const isLearner = seat?.kind === "learner";
  const asBefore = isLearner ? "its HOST, ports, keys and LEAVE" : "JOIN instead of PEERS, its HOST, ports and keys";
  const assigned = isAssigned ? ", under an id that the cluster assigns" : "";
  const variables = [
    `NODE_ID=${isAssigned ? "auto" : nodeId}`,
    `JOIN=${join.join(",")}`,
    ...(isLearner ? ["VOTER=false"] : []),
    `DATA_DIR=${dataDir}`,
  ];
  const steps = `
Start the node (with ${asBefore} as before); ${becomes(seat?.kind)}${assigned}:
  ${variables.join(" ")} folio node`;
  // Only founders have PEERS, and they are voters under ids of their own.
  return isLearner || isAssigned ? steps : `${steps}\n${byHand(nodeId, seat?.address ?? "HOST:PEER_PORT")}`;
}

function becomes(kind: Member["kind"] | undefined): string {
  switch (kind) {
    case "voter":
      return "it becomes a voter by itself";
    case "learner":
      return "it stays a learner";
    case undefined:
      return "it becomes a voter by itself (with VOTER=false, if it was a learner, it stays one)";
  }
}

/** Both together are refused: JOIN and PEERS. */
function byHand(nodeId: number, address: string): string {
  return `
Where PEERS stay in its environment, as a founder's in docker-compose.yml, start it as it is, and let it in through any member:
  folio members add ${nodeId} ${address} --voter --server HOST:PORT --api-key KEY`;
}
