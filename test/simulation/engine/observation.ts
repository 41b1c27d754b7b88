import type { LogWrite } from "../../../src/raft/types.js";
import type { SequenceMachine } from "../../../src/sequence/machine/sequence-machine.js";
import type { LogRecovery, LogStore } from "../../../src/storage/log-store.js";
import type { StateStore } from "../../../src/storage/state-store.js";
import type { World, WorldNode } from "./world.js";

/**
 * The real stores and the real machine, with somebody looking on: each method is the product's own,
 * called as it is, and what passes is told to the checkers.
 */

/** What a store recovered must be what was durable, with or without the write that was in flight. */
export function checkRecovery(world: World, node: WorldNode, recovery: LogRecovery): void {
  const { durable } = node;
  if (node.integrity === "logRolledBack" || node.integrity === "wiped") return;
  const withInFlight = durable.copy();
  if (durable.inFlight !== undefined) withInFlight.apply(durable.inFlight);
  durable.inFlight = undefined;
  withInFlight.inFlight = undefined;
  if (withInFlight.equals(recovery)) node.durable = withInFlight;
  else if (!durable.equals(recovery)) {
    world.report("recovery", `${node.name} opened a log to ${recovery.terms.length} that it never had`);
  }
  // A torn write whose rows happen to be all old or all new is none.
  if (node.integrity === "logTorn") node.integrity = "sound";
  if (node.integrity === "logDamaged") world.report("damage refused", `${node.name} opened a damaged log`);
}

export function watchLog(world: World, node: WorldNode, log: LogStore): void {
  const write = log.write.bind(log);
  log.write = (change, done) => {
    const { durable } = node;
    durable.inFlight = change;
    checkHardState(world, node, change);
    for (const entry of change.entries) world.consensus.entryWritten(entry);
    write(change, (failure) => {
      if (failure === undefined) {
        durable.apply(change);
        durable.inFlight = undefined;
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

const HEADER_KEY = "h/header";

export function watchState(world: World, node: WorldNode, state: StateStore): void {
  const put = state.put.bind(state);
  state.put = (key, value) => {
    if (key === HEADER_KEY) world.stateRows.header(node, value);
    put(key, value);
  };
  const scan = state.scan.bind(state);
  state.scan = (range, done) => {
    scan(range, (failure, rows) => {
      done(failure, rows);
      // Whoever asked waits for a promise: what comes of it belongs to this step.
      world.awaited(Promise.resolve());
    });
  };
  const checkpoint = state.checkpoint.bind(state);
  state.checkpoint = (done) => {
    const index = node.appliedIndex;
    if (index > node.durable.lastIndex) {
      world.report(
        "apply within the durable log",
        `${node.name} checkpoints entry ${index}, durable ${node.durable.lastIndex}`,
      );
    }
    checkpoint((failure) => {
      if (failure === undefined) node.checkpointIndex = index;
      done(failure);
    });
  };
}

export function watchMachine(world: World, node: WorldNode, machine: SequenceMachine): void {
  const apply = machine.apply.bind(machine);
  machine.apply = (payload, context) => {
    const applied = apply(payload, context);
    world.effects.applied(node.id, payload, context, applied.result, applied.record);
    return applied;
  };
}
