import type { ReplicaObserver } from "../../../src/replica/ports.js";
import { Replica } from "../../../src/replica/replica.js";
import { SequenceQueries } from "../../../src/sequence/machine/queries.js";
import { SequenceMachine } from "../../../src/sequence/machine/sequence-machine.js";
import type { LogStore } from "../../../src/storage/log-store.js";
import type { Defer } from "../../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../../src/storage/memory-log-store.js";
import { openMemoryStateStore } from "../../../src/storage/memory-state-store.js";
import type { StateStore } from "../../../src/storage/state-store.js";
import type { PeerAddress, PeerMessage } from "../../../src/transport/transport.js";
import type { DurableLog } from "../checkers/durable-log.js";
import { appliedIndexIn, hasSoundHeader } from "../checkers/state-rows.js";
import { describeDurable, describeTransition } from "./describe-transition.js";
import { checkRecovery, watchLog } from "./watch-log.js";
import { watchMachine, watchState } from "./watch-state.js";
import type { World, WorldNode } from "./world.js";

/** How a node comes to its place: as one of those who found the cluster, or let in by them. */
export type Origin =
  | { readonly kind: "founder" }
  | { readonly kind: "joiner"; readonly contacts: readonly PeerAddress[] };

/** The node that a process is started for: what outlives the process, and what it is watched by. */
export interface ProcessOwner extends WorldNode {
  readonly address: string;
  readonly durable: DurableLog;
  readonly origin: Origin;
  readonly isResuming: boolean;
  storeId: string;
  handoverCount: number;
}

/** What runs of one node between a start and its end: the product's own code on the simulated world. */
export interface Process {
  readonly replica: Replica;
  readonly queries: SequenceQueries;
}

/** Opens the node's stores as `folio node` does. @throws StorageFailure */
export function startProcess(world: World, node: ProcessOwner): Process {
  const log = openLog(world, node);
  checkRecovery(world, node, log.recovery);
  watchLog(world, node, log);
  const state = openState(world, node, log);
  watchState(world, node, state);
  const machine = new SequenceMachine(state);
  watchMachine(world, node, machine);
  sweepLater(world, node, machine);
  const queries = new SequenceQueries(state, machine, () => Promise.resolve());
  const replica = newReplica(world, node, { log, state, machine });
  if (node.integrity === "logRolledBack") {
    world.report("damage refused", `${node.name} started on a log that ends before its state's checkpoint`);
  }
  return { replica, queries };
}

/** The id of the store that the node's directory holds, made now if it holds none. */
export function openStoreId(world: World, node: ProcessOwner, promised: string | undefined): string {
  const randomId = () => promised ?? world.nodeRandom.id();
  const { storeId } = openMemoryLogStore({
    disk: node.logDisk,
    nodeId: node.id,
    randomId,
    defer: deferOf(world, node),
  });
  node.logDisk.detach();
  world.stores.opened(storeId, node.durable);
  return storeId;
}

function openLog(world: World, node: ProcessOwner): LogStore {
  const randomId = () => world.nodeRandom.id();
  const log = openMemoryLogStore({ disk: node.logDisk, nodeId: node.id, randomId, defer: deferOf(world, node) });
  node.storeId = log.storeId;
  return log;
}

function openState(world: World, node: ProcessOwner, log: LogStore): StateStore {
  const { storeId, recovery } = log;
  const generation = recovery.stateGeneration;
  const state = openMemoryStateStore({
    disk: node.stateDisks,
    generation,
    nodeId: node.id,
    storeId,
    defer: deferOf(world, node),
  });
  const { stateRows, name } = node;
  // The write that was in flight may have reached the disk, whatever else is damaged there.
  if (hasSoundHeader(stateRows)) node.checkpointIndex = appliedIndexIn(stateRows);
  if (node.integrity === "sound") {
    if (node.checkpointIndex < recovery.base.index) {
      const text = `${name} opened a state at ${node.checkpointIndex}, its log begins at ${recovery.base.index}`;
      world.report("recovery", text);
    }
    world.stateRows.opened(node.id, stateRows);
  }
  return state;
}

function deferOf(world: World, node: ProcessOwner): Defer {
  const { syncMs, jitterMs } = world.plan.disk;
  return (callback) => {
    const delayMs = syncMs + world.diskRandom.unit() * jitterMs + node.extraSyncMs;
    world.queue.schedule(delayMs, "input", node.time, callback);
  };
}

function newReplica(
  world: World,
  node: ProcessOwner,
  stores: { readonly log: LogStore; readonly state: StateStore; readonly machine: SequenceMachine },
): Replica {
  const { plan, founders, nodeRandom, network } = world;
  const { id, time, origin } = node;
  const { log, state, machine } = stores;
  return new Replica(
    {
      nodeId: id,
      address: node.address,
      restAddress: `node-${id}:8080`,
      grpcAddress: `node-${id}:9090`,
      version: "simulation",
      founders: origin.kind === "founder" ? founders : [],
      contacts: origin.kind === "founder" ? [] : origin.contacts,
      electionTimeoutMs: plan.electionTimeoutMs,
      heartbeatMs: plan.heartbeatMs,
      maxClockSkewMs: 2000,
      requestDeadlineMs: 10_000,
      ...plan.log,
    },
    {
      log,
      state,
      machines: [machine],
      transport: network.transport({ id, storeId: log.storeId, time }, (messages) => {
        for (const message of messages) watchMessage(world, node, message);
      }),
      clock: time,
      timers: time,
      randomness: { uint32: () => nodeRandom.uint32(), id: () => nodeRandom.id() },
      observer: observerOf(world, node),
      fatal: (failure) => node.thrown(failure),
    },
  );
}

/** Deletes expired idempotency keys now and then, as the node's upkeep does; what it cannot read it leaves. */
function sweepLater(world: World, node: ProcessOwner, machine: SequenceMachine): void {
  const { sweep } = world.plan;
  if (sweep === undefined) return;
  node.time.after(sweep.everyMs, () => {
    const again = () => sweepLater(world, node, machine);
    machine.sweep(sweep.rowsMax).then(again, again);
  });
}

function watchMessage(world: World, node: ProcessOwner, message: PeerMessage): void {
  world.promises.check(node, message);
  if (node.isResuming && message.type === "voteRequest" && message.preVote) {
    world.report("input before timers", `${node.name} stands for election before it has read its leader's heartbeats`);
  }
}

function observerOf(world: World, node: ProcessOwner): ReplicaObserver {
  const { trace } = world;
  const { name } = node;
  return {
    transition: (transition) => {
      if (transition.kind === "truncated" && node.isLeader) {
        world.report("leader append-only", `leader ${name} truncated its log`);
      }
      if (transition.kind === "transferEnded") node.handoverCount++;
      if (transition.kind === "roleChanged" && transition.why === "leadership was handed over") node.handoverCount++;
      trace?.note(name, `* ${describeTransition(transition)}`);
    },
    entryPacked: ({ commands }) => trace?.note(name, `packs ${commands} commands`),
    logWritten: ({ entries }) =>
      trace?.note(name, `disk: ${entries} entries written, ${describeDurable(node.durable)}`),
    entryApplied: ({ index, commands }) => {
      trace?.note(name, `applies ${index} (${commands} commands)`);
      world.entryApplied(index);
    },
    checkpointWritten: () => trace?.note(name, `disk: checkpoint at ${node.checkpointIndex}`),
    logCut: ({ baseIndex, entries }) => trace?.note(name, `disk: log cut at ${baseIndex}, ${entries} entries gone`),
    snapshotMoved: ({ direction, peer, index, bytes, failure }) => {
      trace?.note(name, `snapshot at ${index} ${direction}, n${peer}, ${bytes} bytes: ${failure ?? "done"}`);
    },
    stateDiverged: ({ peer, index, what }) => {
      world.report("same state everywhere", `${name} and n${peer} find that their ${what} differ at entry ${index}`);
    },
    notice: (level, message) => trace?.note(name, `${level}: ${message}`),
  };
}
