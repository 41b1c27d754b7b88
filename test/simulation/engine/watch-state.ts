import type { SequenceMachine } from "../../../src/sequence/machine/sequence-machine.js";
import type { CommandResult } from "../../../src/sequence/result.js";
import { isSealed } from "../../../src/storage/sealed-row.js";
import type { StateBuilder, StateStore } from "../../../src/storage/state-store.js";
import { HEADER_KEY } from "../checkers/state-rows.js";
import type { World, WorldNode } from "./world.js";

/** The real state store and the real machine, with somebody looking on. */

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
  watchCheckpoints(world, node, state);
  watchInstalls(world, node, state);
}

function watchCheckpoints(world: World, node: WorldNode, state: StateStore): void {
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
  const openView = state.openView.bind(state);
  state.openView = (range) => {
    // All of it: a snapshot. What is read to be compared with others is compared by the product.
    if (range === undefined) watchSnapshot(world, node);
    return openView(range);
  };
}

function watchSnapshot(world: World, node: WorldNode): void {
  const rows = node.stateRows;
  // A damaged row may have been written anew meanwhile.
  if (rows.every(([key, row]) => isSealed(key, row))) world.stateRows.checkpoint(node.id, rows);
}

/** A state that is built aside and put in force: every step is a place to die at. */
function watchInstalls(world: World, node: WorldNode, state: StateStore): void {
  const build = state.build.bind(state);
  state.build = (generation, done) => {
    node.reaches("building");
    build(generation, (failure, builder) => {
      if (builder !== undefined) watchBuilder(node, builder);
      done(failure, builder);
    });
  };
  const adopt = state.adopt.bind(state);
  state.adopt = (builder) => {
    if (node.durable.stateGeneration !== builder.generation) {
      const text = `${node.name} puts its state ${builder.generation} in force, its log says ${node.durable.stateGeneration}`;
      world.report("log before state", text);
    }
    adopt(builder);
    node.checkpointIndex = world.stateRows.installed(node.id, node.stateRows);
    node.reaches("adopted");
  };
}

function watchBuilder(node: WorldNode, builder: StateBuilder): void {
  const add = builder.add.bind(builder);
  builder.add = (rows, done) => {
    node.reaches("filling");
    add(rows, done);
  };
  const finish = builder.finish.bind(builder);
  builder.finish = (done) => {
    node.reaches("finishing");
    finish((failure) => {
      if (failure === undefined) node.reaches("built");
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
  const outcomeOf = machine.outcomeOf.bind(machine);
  machine.outcomeOf = (payload, record, context) => {
    const result = outcomeOf(payload, record, context);
    world.effects.recalled(node.id, context, result as CommandResult);
    return result;
  };
}
