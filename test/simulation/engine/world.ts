import type { Consensus } from "../checkers/consensus.js";
import type { Effects } from "../checkers/effects.js";
import type { Promises } from "../checkers/promises.js";
import type { SessionModel } from "../checkers/session-model.js";
import type { StateRows } from "../checkers/state-rows.js";
import type { ReportViolation } from "../checkers/violation.js";
import type { Clients } from "./clients.js";
import type { EventQueue } from "./event-queue.js";
import type { SimulatedNetwork } from "./network.js";
import type { Plan } from "./plan.js";
import type { Random } from "./random.js";
import type { SimulatedNode } from "./simulated-node.js";
import type { Trace } from "./trace.js";

/** What nodes, faults and operations of one run see of it. */
export interface World {
  readonly plan: Plan;
  readonly queue: EventQueue;
  readonly network: SimulatedNetwork;
  readonly nodes: readonly SimulatedNode[];
  readonly founders: readonly { readonly id: number; readonly address: string }[];
  readonly clients: Clients;
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
  node(id: number): SimulatedNode;
  /** Starts a node that is down, while the chaos lasts; the run waits for what the start awaits. */
  start(node: SimulatedNode): void;
  /** Lets a paused node go on: its late timers first, then its buffered input. */
  resume(node: SimulatedNode): void;
  /** The run goes on only when this is settled. */
  awaited(work: Promise<unknown>): void;
  /** Takes its time; must not fail. */
  inBackground(work: Promise<unknown>): void;
  later(delayMs: number, run: () => void): void;
}
