import type { RaftCore } from "../../../src/raft/core.js";
import type { LogIndex, NodeId } from "../../../src/raft/types.js";
import type { DurableLog } from "./durable-log.js";

/** One node as the checkers see it. */
export interface WatchedNode {
  readonly id: NodeId;
  /** Of the store that its data directory holds now; "" before it was ever opened. */
  readonly storeId: string;
  /** Undefined while the node is down or has no seat. */
  readonly core: RaftCore | undefined;
  readonly appliedIndex: LogIndex;
  readonly durable: DurableLog;
}
