import { RaftCore } from "../raft/core.js";
import type { Configuration, LogIndex } from "../raft/types.js";
import { LIMITS, type ReplicaOptions, type ReplicaPorts } from "./options.js";

/** The core of a node that holds its seat, on what its log recovered. */
export function openCore(
  options: ReplicaOptions,
  { log, clock, randomness }: ReplicaPorts,
  start: { readonly baseConfiguration: Configuration; readonly appliedIndex: LogIndex },
): RaftCore {
  const { hardState, base, terms, sizes, configurations } = log.recovery;
  const { baseConfiguration, appliedIndex } = start;
  return new RaftCore(
    {
      id: options.nodeId,
      electionTimeoutMs: options.electionTimeoutMs,
      heartbeatMs: options.heartbeatMs,
      inFlightMax: LIMITS.appendsInFlightMax,
      appendBytesMax: LIMITS.entryBytesMax,
      appendEntriesMax: LIMITS.appendEntriesMax,
      readsMax: LIMITS.readsMax,
      seed: randomness.uint32(),
      foundingClusterId: randomness.id(),
    },
    { hardState, log: { base, baseConfiguration, terms, sizes, configurations }, commitIndex: appliedIndex },
    clock.monotonic(),
  );
}
