import type { Configuration, LogCut, Member, NodeId, Position } from "../raft/types.js";
import type { Provenance } from "../sequence/command.js";
import { assertPlausible } from "./known-series.js";
import { OfflineNode } from "./offline-node.js";
import { continued, type PlanKeeper, type RecoveryPlan } from "./recovery-plan.js";
import { type SkippedSeries, skipAhead } from "./skip-ahead.js";
import { endOf, RecoveryRefused, type Stores } from "./stores.js";
import { type Survey, survey } from "./survey.js";

/** Who the new cluster is. */
export interface NewCluster {
  readonly nodeId: NodeId;
  /** host:port of its peer listener. */
  readonly address: string;
  /** Fresh: 32 random hexadecimal digits. */
  readonly clusterId: string;
  /** Slots that every series passes over; 0: none. */
  readonly safetyDistance: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface RecoveryReport {
  /** What the node knew before. */
  readonly before: Survey;
  /** In force from now on. */
  readonly configuration: Configuration;
  /** The last entry of the log: durable, and applied. */
  readonly end: Position;
  /** One per series; empty without a safety distance. */
  readonly series: readonly SkippedSeries[];
}

/**
 * @returns the node's own seat
 * @throws RecoveryRefused if it has none, or nothing was ever committed
 */
export function requireSeat({ nodeId, storeId, configuration }: Survey): Member {
  const seat = configuration.members.find((member) => member.id === nodeId && member.storeId === storeId);
  if (seat === undefined) {
    const ids = configuration.members.map(({ id }) => id).join(", ");
    throw new RecoveryRefused(
      `Node ${nodeId} with this directory is no member of the cluster: it was removed, or another store took its seat. Recover ` +
        `a member (${ids}), or restore a backup.`,
    );
  }
  if (configuration.clusterId === "") {
    throw new RecoveryRefused("The cluster was founded and never committed anything: start empty instead.");
  }
  return seat;
}

/**
 * Makes a surviving node the only member of a new cluster, after the others are lost for good. Everything that its log
 * holds counts as committed. Say `survey` and `possibleLoss` to the operator first.
 *
 * The node leads alone at its next start. When it is interrupted, or fails, the stores are as they were, or the new
 * cluster stands and a part of the skipping is missing: the plan is kept from before the first write until after the
 * last, no node starts beside it, and the next run goes on from it.
 *
 * @throws RecoveryRefused when nothing was changed; StorageFailure when a store fails; what `keeper` throws
 */
export async function recoverNewCluster(
  stores: Stores,
  cluster: NewCluster,
  keeper: PlanKeeper,
): Promise<RecoveryReport> {
  const before = survey(stores, cluster.nodeId);
  requireSeat(before);
  const { safetyDistance } = cluster;
  const plan = continued({ knownUntil: before.newestTime, safetyDistance }, keeper.interrupted);
  if (plan.safetyDistance > 0) assertPlausible({ from: plan.knownUntil, to: cluster.now });
  const when = new Date(before.newestTime).toISOString();
  const reason = `recovered from node ${cluster.nodeId} as of entry ${before.logEnd.index} of ${when}`;
  await keeper.keep(plan);
  const after = await goOnAlone(stores, cluster, {
    ...plan,
    end: endOf(stores.log.recovery),
    term: before.term + 1,
    by: "recover",
    reason,
  });
  await keeper.drop();
  return { before, ...after };
}

/** How the stores stand, and in whose name what follows is done. */
interface Beginning extends RecoveryPlan {
  /** The last entry of the log. */
  readonly end: Position;
  /** Later than any that the log or its hard state knows. */
  readonly term: number;
  /** Of a log that begins with this. */
  readonly base?: LogCut;
  readonly by: "recover" | "restore";
  readonly reason: string;
}

/** The node becomes the only member; then, if asked to, every series passes over some slots. */
export async function goOnAlone(
  stores: Stores,
  cluster: NewCluster,
  { knownUntil, safetyDistance, end, term, base, by, reason }: Beginning,
): Promise<Omit<RecoveryReport, "before">> {
  const { nodeId, address, clusterId, now } = cluster;
  const { log, state } = stores;
  const configuration: Configuration = {
    clusterId,
    members: [{ id: nodeId, kind: "voter", storeId: log.storeId, address }],
  };
  const node = new OfflineNode(stores, { nodeId, nonce: `${by} ${clusterId}`, end });
  await node.lead(configuration, term, base);
  const provenance: Provenance = { principal: by, clientId: "", generatedBy: "", correlationId: "", requestId: "" };
  const window = { from: knownUntil, to: Math.max(node.time, now) };
  const series =
    safetyDistance === 0 ? [] : await skipAhead(node, state, { distance: safetyDistance, provenance, reason, window });
  await node.checkpoint();
  return { configuration, end: node.end, series };
}
