import type { Replica } from "../../../src/replica/replica.js";
import type { SequenceQueries } from "../../../src/sequence/machine/queries.js";
import type { MemoryDisk } from "../../../src/storage/memory-disk.js";
import type { Consensus } from "../checkers/consensus.js";
import type { DurableLog } from "../checkers/durable-log.js";
import type { Effects } from "../checkers/effects.js";
import type { Promises } from "../checkers/promises.js";
import type { SessionModel } from "../checkers/session-model.js";
import type { StateRows } from "../checkers/state-rows.js";
import type { ReportViolation } from "../checkers/violation.js";
import type { WatchedNode } from "../checkers/watched-node.js";
import type { CrashOutcome } from "./disk-damage.js";
import type { EventQueue } from "./event-queue.js";
import type { SimulatedNetwork } from "./network.js";
import type { Calendar, NodeTime } from "./node-time.js";
import type { Plan } from "./plan.js";
import type { Random } from "./random.js";
import type { Trace } from "./trace.js";

/** Running; dead, and may be started again; or kept out for good, by its own refusal. */
export type NodeStatus = "running" | "down" | "out";

/** How much of what a node once knew its disks may have lost. */
export type Integrity = "sound" | "logTorn" | "logDamaged" | "stateDamaged" | "logRolledBack" | "wiped";

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
  stateDisk: MemoryDisk;
  durable: DurableLog;
  /** Up to where the state's last checkpoint reaches. */
  checkpointIndex: number;
  /** Slows every write of this node down. */
  extraSyncMs: number;
  /** It was told to end in good order. */
  isEnding: boolean;
  /** As kill -9 or a power loss. */
  crash(outcome: { readonly log: CrashOutcome; readonly state: "durable" | "lost" }): void;
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
}

/** What nodes, faults and operations of one run see of it. */
export interface World {
  readonly plan: Plan;
  readonly queue: EventQueue;
  readonly network: SimulatedNetwork;
  readonly calendar: Calendar;
  readonly nodes: readonly WorldNode[];
  readonly founders: readonly { readonly id: number; readonly address: string }[];
  readonly clients: Callers;
  readonly consensus: Consensus;
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
  node(id: number): WorldNode;
  /** Starts a node that is down, while the chaos lasts; the run waits for what the start awaits. */
  start(node: WorldNode): void;
  /** Lets a paused node go on: its late timers first, then its buffered input. */
  resume(node: WorldNode): void;
  /** The run goes on only when this is settled. */
  awaited(work: Promise<unknown>): void;
  /** Takes its time; must not fail. */
  inBackground(work: Promise<unknown>): void;
  later(delayMs: number, run: () => void): void;
}
