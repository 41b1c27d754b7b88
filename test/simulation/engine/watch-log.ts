import type { LogCut, LogWrite } from "../../../src/raft/types.js";
import type { LogRecovery, LogStore } from "../../../src/storage/log-store.js";
import type { World, WorldNode } from "./world.js";

/** The real log store, with somebody looking on: each method is the product's own, called as it is. */

/** What a store recovered must be what was durable, with or without the write that was in flight. */
export function checkRecovery(world: World, node: WorldNode, recovery: LogRecovery): void {
  const { durable } = node;
  if (node.integrity === "logRolledBack" || node.integrity === "wiped") return;
  const withInFlight = durable.copy();
  withInFlight.applyInFlight();
  if (withInFlight.equals(recovery)) durable.applyInFlight();
  else if (!durable.equals(recovery)) {
    world.report("recovery", `${node.name} opened a log to ${recovery.terms.length} that it never had`);
  }
  durable.inFlight = undefined;
  // A torn write whose rows happen to be all old or all new is none.
  if (node.integrity === "logTorn") node.integrity = "sound";
  if (node.integrity === "logDamaged") world.report("damage refused", `${node.name} opened a damaged log`);
}

export function watchLog(world: World, node: WorldNode, log: LogStore): void {
  const { durable } = node;
  world.stores.opened(log.storeId, durable);
  const found = log.found.bind(log);
  log.found = (configuration, done) => {
    world.committed.founded(configuration);
    found(configuration, done);
  };
  const write = log.write.bind(log);
  log.write = (change, done) => {
    durable.inFlight = change;
    checkHardState(world, node, change);
    if (change.base !== undefined) checkCut(world, node, change.base);
    checkNewcomer(world, node, change);
    for (const entry of change.entries) world.committed.written(entry);
    const isSwitch = change.base?.stateGeneration !== undefined;
    if (isSwitch) node.reaches("switching");
    write(change, (failure) => {
      if (failure === undefined) {
        durable.apply(change);
        durable.inFlight = undefined;
        if (isSwitch) node.reaches("switched");
      }
      done(failure);
    });
  };
}

/** Term and vote on disk: the term never goes back, and no vote is forgotten within its term. */
function checkHardState(world: World, { name, durable }: WorldNode, { hardState }: LogWrite): void {
  if (hardState === undefined) return;
  const { term, votedFor } = durable.hardState;
  if (hardState.term < term) world.report("monotonic terms", `${name} writes term ${hardState.term} over ${term}`);
  if (hardState.term === term && votedFor !== undefined && hardState.votedFor !== votedFor) {
    world.report("one vote per term", `${name} forgets its vote for n${votedFor} in term ${term}`);
  }
}

/** Who joins begins with a snapshot: it never goes by memberships from before its own. */
function checkNewcomer(world: World, { name, storeId }: WorldNode, { entries }: LogWrite): void {
  const [first] = entries;
  const joinedAt = world.committed.joinedAt(storeId) ?? 0;
  if (first === undefined || joinedAt === 0 || first.index > joinedAt) return;
  world.report("newcomers", `${name} writes entry ${first.index}, though it joined with entry ${joinedAt}`);
}

/** A log is cut below what has committed, and below what the state holds without it; it never begins earlier again. */
function checkCut(world: World, node: WorldNode, { position, configuration, stateGeneration }: LogCut): void {
  const { name, durable, checkpointIndex } = node;
  const cut = `${name} cuts its log at entry ${position.index} of term ${position.term}`;
  if (position.index <= durable.base.index) world.report("compaction", `${cut}, it began at ${durable.base.index}`);
  if (world.committed.termAt(position.index) !== position.term)
    world.report("compaction", `${cut}, which has not committed`);
  if (stateGeneration === undefined && position.index > checkpointIndex) {
    world.report("compaction", `${cut}, its state is durable up to ${checkpointIndex}`);
  }
  const inForce = world.committed.configurationAt(position.index);
  if (JSON.stringify(inForce?.members) !== JSON.stringify(configuration.members)) {
    world.report("compaction", `${cut}, with another membership than was in force there`);
  }
}
