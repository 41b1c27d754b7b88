import { Consensus } from "../checkers/consensus.js";
import { Effects } from "../checkers/effects.js";
import { Promises } from "../checkers/promises.js";
import { ReplicationProgress } from "../checkers/replication-progress.js";
import { SessionModel } from "../checkers/session-model.js";
import { StateRows } from "../checkers/state-rows.js";
import type { Violation } from "../checkers/violation.js";
import { faultNamed } from "../faults/catalogue.js";
import { Clients } from "./clients.js";
import { type EventOwner, EventQueue, type SimulatedEvent } from "./event-queue.js";
import { SimulatedNetwork } from "./network.js";
import type { Calendar } from "./node-time.js";
import type { Plan } from "./plan.js";
import { Random } from "./random.js";
import { SimulatedNode } from "./simulated-node.js";
import { Trace } from "./trace.js";
import type { World, WorldNode } from "./world.js";

/**
 * One cluster of real replicas in a world of its own. Single-threaded; nothing in it depends on
 * anything but the plan. After every step the invariants are checked that the step can have broken.
 */
export class Simulation implements World {
  readonly plan: Plan;
  readonly queue = new EventQueue();
  readonly network: SimulatedNetwork;
  readonly calendar: Calendar;
  readonly nodes: readonly SimulatedNode[];
  readonly founders: readonly { readonly id: number; readonly address: string }[];
  readonly clients: Clients;
  readonly consensus: Consensus;
  readonly promises: Promises;
  readonly effects: Effects;
  readonly sessions: SessionModel;
  readonly stateRows: StateRows;
  readonly trace: Trace | undefined;
  readonly diskRandom: Random;
  readonly nodeRandom: Random;
  readonly faultRandom: Random;
  readonly clientRandom: Random;
  isChaos = true;
  violation: (Violation & { readonly atMs: number }) | undefined;
  stepCount = 0;
  readonly #progress: ReplicationProgress;
  readonly #loopRandom: Random;
  readonly #byTime = new Map<EventOwner, SimulatedNode>();
  #awaited: Promise<unknown>[] = [];
  /** What some node has applied. */
  #appliedIndex = 0;

  constructor(plan: Plan, options: { readonly isTraced: boolean }) {
    this.plan = plan;
    const { seed, nodeCount } = plan;
    this.trace = options.isTraced ? new Trace(() => this.queue.nowMs) : undefined;
    this.diskRandom = new Random(seed, "disk");
    this.nodeRandom = new Random(seed, "node");
    this.faultRandom = new Random(seed, "fault");
    this.clientRandom = new Random(seed, "client");
    this.#loopRandom = new Random(seed, "loop");
    const random = new Random(seed, "network");
    this.network = new SimulatedNetwork({ queue: this.queue, random, calm: plan.weather, trace: this.trace });
    this.calendar = { originMs: plan.epochMs };
    this.founders = Array.from({ length: nodeCount }, (_, place) => ({
      id: place + 1,
      address: `node-${place + 1}:7070`,
    }));
    this.nodes = this.founders.map(
      ({ id }) => new SimulatedNode(this, id, plan.clocks[id - 1] ?? { rate: 1, offsetMs: 0 }),
    );
    for (const node of this.nodes) this.#byTime.set(node.time, node);
    this.consensus = new Consensus(this.nodes, this.report);
    this.#progress = new ReplicationProgress(this.nodes, this.report);
    this.promises = new Promises(this.report);
    this.effects = new Effects(this.report);
    this.sessions = new SessionModel((index, ordinal) => this.effects.at(index, ordinal) !== undefined, this.report);
    this.stateRows = new StateRows(this.report);
    this.clients = new Clients(this);
  }

  /** The first finding counts; the run ends with the step. */
  readonly report = (checker: string, message: string): void => {
    if (this.violation !== undefined) return;
    this.violation = { checker, message, atMs: this.queue.nowMs };
    this.trace?.note("CHECK", `VIOLATED ${checker}: ${message}`);
  };

  node(id: number): SimulatedNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  start({ id }: WorldNode): void {
    if (this.isChaos) this.awaited(this.node(id).start());
  }

  resume({ id }: WorldNode): void {
    const node = this.node(id);
    this.#guarded(node, () => {
      node.isResuming = this.#wasDeafForLong(node);
      node.time.resume();
      node.time.runAfterInput();
    });
    node.isResuming = false;
  }

  /** Its election is overdue by more than what counts as a stall, and a leader's words wait unread. */
  #wasDeafForLong({ core, time }: SimulatedNode): boolean {
    const { heartbeatMs, electionTimeoutMs } = this.plan;
    if (core === undefined || time.monotonic() - core.nextDeadline <= heartbeatMs + 1) return false;
    // One that was polling already may read an old refusal first, and ask again: that is input, no timer.
    if (core.roleName === "preCandidate") return false;
    return time.isHeartbeatWaiting(core.term, electionTimeoutMs);
  }

  awaited(work: Promise<unknown>): void {
    this.#awaited.push(work);
  }

  inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.report("unexpected exception", String(error)));
  }

  later(delayMs: number, run: () => void): void {
    this.queue.schedule(delayMs, "world", undefined, run);
  }

  /** Entries are committed before they are applied, but who commits is looked at after the step. */
  entryApplied(index: number): void {
    if (index === this.#appliedIndex + 1) this.#appliedIndex = index;
  }

  /** Puts the plan's faults and calls into the queue and starts all nodes. */
  begin(): void {
    for (const node of this.nodes) this.later(this.clientRandom.between(0, 50), () => this.start(node));
    for (const { atMs, kind, settings } of this.plan.faults) {
      this.later(atMs, () => {
        if (!this.isChaos) return;
        this.trace?.note("world", `fault ${kind} ${JSON.stringify(settings)}`);
        faultNamed(kind).strike(this, settings);
      });
    }
    for (const step of this.plan.operations) this.later(step.atMs, () => this.clients.perform(step));
  }

  /**
   * Runs until the condition holds, something is violated, or the limit is reached. Returns whether
   * the condition held.
   */
  async runUntil(limitMs: number, holds: () => boolean = () => false): Promise<boolean> {
    while (this.violation === undefined) {
      if (holds()) return true;
      if (this.queue.nextAtMs > limitMs) {
        this.queue.advanceTo(limitMs);
        return false;
      }
      const event = this.queue.take();
      if (event === undefined) return false;
      this.#step(event);
      if (this.#awaited.length > 0) await this.#settle();
    }
    return false;
  }

  #step(event: SimulatedEvent): void {
    this.stepCount++;
    if (event.cancelled) return;
    if (event.node === undefined) {
      event.run();
      return;
    }
    const node = this.#byTime.get(event.node);
    if (node === undefined) return;
    this.#guarded(node, () => {
      if (!node.time.offer(event)) return;
      if (!node.time.hasAfterInput) return;
      if (this.#loopRandom.chance(this.plan.busyChance)) this.#flushLater(node);
      else node.time.runAfterInput();
    });
  }

  /** The node is busy for a moment: what arrives meanwhile is handled in the same turn. */
  #flushLater(node: SimulatedNode): void {
    this.queue.schedule(this.#loopRandom.between(0, 2), "input", node.time, () => node.time.runAfterInput());
  }

  /** What the node throws ends it, as it would end its process; then the node is checked. */
  #guarded(node: SimulatedNode, run: () => void): void {
    try {
      run();
    } catch (error) {
      node.thrown(error);
    }
    if (node.integrity === "wiped" && node.core !== undefined) {
      this.report("damage refused", `${node.name} took its seat with a wiped disk`);
    }
    this.consensus.check(node);
    this.#progress.check(node);
    while (this.sessions.nextIndex <= this.#appliedIndex) {
      const entry = this.consensus.committedEntry(this.sessions.nextIndex);
      if (entry === undefined) break;
      this.sessions.applied(entry);
    }
  }

  async #settle(): Promise<void> {
    const awaited = this.#awaited;
    this.#awaited = [];
    await Promise.all(awaited);
    for (const node of this.nodes) {
      if (node.time.hasAfterInput && !node.time.isPaused) this.#guarded(node, () => node.time.runAfterInput());
    }
  }
}
