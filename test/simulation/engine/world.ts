import type { Configuration } from "../../../src/raft/types.js";
import type { Replica } from "../../../src/replica/replica.js";
import type { SequenceQueries } from "../../../src/sequence/machine/queries.js";
import type { DiskRow } from "../../../src/storage/disk.js";
import type { MemoryDisk } from "../../../src/storage/memory-disk.js";
import type { MemoryStateDisks } from "../../../src/storage/memory-state-disks.js";
import type { CommittedLog } from "../checkers/committed-log.js";
import type { Effects } from "../checkers/effects.js";
import type { Promises } from "../checkers/promises.js";
import type { SessionModel } from "../checkers/session-model.js";
import type { StateRows } from "../checkers/state-rows.js";
import type { Stores } from "../checkers/stores.js";
import type { ReportViolation } from "../checkers/violation.js";
import type { WatchedNode } from "../checkers/watched-node.js";
import type { CrashOutcome } from "./disk-damage.js";
import type { EventQueue } from "./event-queue.js";
import type { SimulatedNetwork } from "./network.js";
import type { Calendar, NodeTime } from "./node-time.js";
import type { Plan } from "./plan.js";
import type { Random } from "./random.js";
import type { Trace } from "./trace.js";

/** Running; dead, and may be started again; kept out for good, by its own refusal; or switched off by its operator. */
export type NodeStatus = "running" | "down" | "out" | "off";

/** How much of what a node once knew its disks may have lost. */
export type Integrity = "sound" | "logTorn" | "logDamaged" | "stateDamaged" | "logRolledBack" | "wiped";

/** Where a node that installs a snapshot may die: before or during a step, or right behind it. */
export type InstallStep = "building" | "filling" | "finishing" | "built" | "switching" | "switched" | "adopted";

/** What becomes of the writes that are under way at a crash. */
export interface CrashFate {
  readonly log: CrashOutcome;
  readonly state: "durable" | "lost";
}

/** One node, as faults, operations and observers have it. */
export interface WorldNode extends WatchedNode {
  readonly name: string;
  readonly time: NodeTime;
  readonly replica: Replica | undefined;
  readonly queries: SequenceQueries | undefined;
  readonly status: NodeStatus;
  readonly isLeader: boolean;
  integrity: Integrity;
  logDisk: MemoryDisk;
  readonly stateDisks: MemoryStateDisks;
  /** Of the state in force, as they are on the disk. */
  readonly stateRows: readonly DiskRow[];
  /** Up to where the state's last checkpoint reaches. */
  checkpointIndex: number;
  /** Slows every write of this node down. */
  extraSyncMs: number;
  /** It was told to end in good order. */
  isEnding: boolean;
  /** Where it is to die when it installs its next snapshot. */
  dieAt: { readonly step: InstallStep; readonly fate: CrashFate; readonly downMs: number } | undefined;
  /** It has come to this step of an install. */
  reaches(step: InstallStep): void;
  /** As kill -9 or a power loss. */
  crash(fate: CrashFate): void;
  /** Flips or cuts bytes of a stored row while the node is down. */
  damage(which: "log" | "state"): void;
  wipe(): void;
  /** The process ends with this. */
  thrown(error: unknown): void;
}

/** Those who call the nodes. */
export interface Callers {
  /** Connections to it broke. */
  nodeCrashed(node: number): void;
  /** One more draw, at this very node. */
  drawAt(node: number): void;
}

/** Those who change who belongs to the cluster. */
export interface ClusterOperators {
  /** Starts another node and has it let in, under an id of its own or of one that has gone; and then promoted. */
  grow(settings: { readonly isVoter: boolean; readonly reusesId: boolean; readonly assignsId: boolean }): void;
  /** Has a member removed, and switches it off afterwards or not. */
  shrink(node: WorldNode, settings: { readonly staysOn: boolean }): void;
  /** Has a node let in again that was removed and still runs, with what it holds. */
  readmit(node: WorldNode): void;
  /** What a node's directory holds is of no use any more: its seat is given up, and it comes back as a new member. */
  rejoin(node: WorldNode, settings: { readonly keepsId: boolean }): void;
}

/** What nodes, faults and operations of one run see of it. */
export interface World {
  readonly plan: Plan;
  readonly queue: EventQueue;
  readonly network: SimulatedNetwork;
  readonly calendar: Calendar;
  /** All that were ever started, whether they belong to the cluster or not. */
  readonly nodes: readonly WorldNode[];
  readonly founders: readonly { readonly id: number; readonly address: string }[];
  readonly clients: Callers;
  readonly operators: ClusterOperators;
  readonly committed: CommittedLog;
  readonly stores: Stores;
  readonly promises: Promises;
  readonly effects: Effects;
  readonly sessions: SessionModel;
  readonly stateRows: StateRows;
  readonly report: ReportViolation;
  readonly trace: Trace | undefined;
  readonly diskRandom: Random;
  readonly nodeRandom: Random;
  readonly faultRandom: Random;
  readonly clientRandom: Random;
  /** Some node applied the entry. */
  entryApplied(index: number): void;
  /** Faults that are still going on end with the chaos, unless they are permanent. */
  readonly isChaos: boolean;
  /** @throws Error if there never was such a node */
  node(id: number): WorldNode;
  /** The nodes that the newest committed configuration names, as far as their own store is the one named. */
  members(): readonly WorldNode[];
  /** Whom a caller reaches who knows of so many: a member, as long as there are any. */
  door(number: number): WorldNode;
  /** Whether every configuration that may be in force, now or soon, keeps a majority of sound stores without this one. */
  isSafeWithout(lost: WorldNode | undefined): boolean;
  /** Whether the node's store is named there. */
  isNamed(node: WorldNode, configuration: Configuration | undefined): boolean;
  /** Starts a node that is down, while the chaos lasts; the run waits for what the start awaits. */
  start(node: WorldNode): void;
  /** Lets a paused node go on: its late timers first, then its buffered input. */
  resume(node: WorldNode): void;
  /** The run goes on only when this is settled. */
  awaited(work: Promise<unknown>): void;
  /** The node was told to end in good order, and must. `ended` is called then, unless it dies before. */
  ending(node: WorldNode, work: Promise<void>, ended: () => void): void;
  later(delayMs: number, run: () => void): void;
}
