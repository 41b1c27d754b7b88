import type { RaftCore } from "../../../src/raft/core.js";
import { pollOf } from "../../../src/raft/election.js";
import type { Configuration, NodeId } from "../../../src/raft/types.js";
import { CommittedLog } from "../checkers/committed-log.js";
import { Consensus } from "../checkers/consensus.js";
import { Effects } from "../checkers/effects.js";
import { Promises } from "../checkers/promises.js";
import { ReplicationProgress } from "../checkers/replication-progress.js";
import { SessionModel } from "../checkers/session-model.js";
import { StateRows } from "../checkers/state-rows.js";
import { Stores } from "../checkers/stores.js";
import type { Violation } from "../checkers/violation.js";
import { faultNamed } from "../faults/catalogue.js";
import { Clients } from "./clients.js";
import { describeCommit } from "./describe-transition.js";
import { type EventOwner, EventQueue, type SimulatedEvent } from "./event-queue.js";
import { SimulatedNetwork } from "./network.js";
import type { Calendar } from "./node-time.js";
import { type Grounds, Operators, surviveWith, withoutAnyOf, withVotesForAnyOf } from "./operators.js";
import type { Plan } from "./plan.js";
import { Random } from "./random.js";
import { SimulatedNode } from "./simulated-node.js";
import { Trace } from "./trace.js";
import type { WorldNode } from "./world.js";

/** While neither the disk nor the process is slowed down by a fault; a write from before may still take four seconds. */
const ENDING_MS = 9000;
const LOOK_EVERY_MS = 20;

/**
 * One cluster of real replicas in a world of its own. Single-threaded; nothing in it depends on
 * anything but the plan. After every step the invariants are checked that the step can have broken.
 */
export class Simulation implements Grounds {
  readonly plan: Plan;
  readonly queue = new EventQueue();
  readonly network: SimulatedNetwork;
  readonly calendar: Calendar;
  readonly nodes: SimulatedNode[] = [];
  readonly founders: readonly { readonly id: number; readonly address: string }[];
  readonly clients: Clients;
  readonly operators: Operators;
  readonly committed: CommittedLog;
  readonly stores = new Stores();
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
  readonly #consensus: Consensus;
  readonly #progress: ReplicationProgress;
  readonly #loopRandom: Random;
  readonly #byTime = new Map<EventOwner, SimulatedNode>();
  /** Nodes that will come to what they put off in a moment, with the life they do it in. */
  readonly #busy = new Map<SimulatedNode, number>();
  /** Commit indices as the trace last told them. */
  readonly #commits = new WeakMap<RaftCore, number>();
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
    for (const { id } of this.founders) this.place(id);
    this.committed = new CommittedLog(this.report);
    this.#consensus = new Consensus(this.committed, this.stores, this.report);
    this.#progress = new ReplicationProgress(this.stores, this.report);
    this.promises = new Promises(this.report);
    this.effects = new Effects(this.report);
    this.sessions = new SessionModel((index, ordinal) => this.effects.at(index, ordinal) !== undefined, this.report);
    this.stateRows = new StateRows(this.report);
    this.clients = new Clients(this);
    this.operators = new Operators(this);
  }

  /** The first finding counts; the run ends with the step. */
  readonly report = (checker: string, message: string): void => {
    if (this.violation !== undefined) return;
    this.violation = { checker, message, atMs: this.queue.nowMs };
    this.trace?.note("CHECK", `VIOLATED ${checker}: ${message}`);
  };

  node(id: NodeId): SimulatedNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Ids count from 1 on, without a hole. */
  place(id: NodeId): SimulatedNode {
    const known = this.nodes[id - 1];
    if (known !== undefined) return known;
    const clock = this.plan.clocks[(id - 1) % this.plan.clocks.length] ?? { rate: 1, offsetMs: 0 };
    const node = new SimulatedNode(this, id, clock);
    this.nodes.push(node);
    this.#byTime.set(node.time, node);
    return node;
  }

  members(): SimulatedNode[] {
    return this.nodes.filter((node) => this.isNamed(node, this.committed.configuration));
  }

  door(number: number): SimulatedNode {
    const members = this.members();
    const choice = members.length === 0 ? this.nodes.slice(0, this.founders.length) : members;
    return choice.find(({ id }) => id === number) ?? (choice[(number - 1) % choice.length] as SimulatedNode);
  }

  isNamed({ id, storeId }: WorldNode, configuration: Configuration | undefined): boolean {
    return configuration?.members.some((member) => member.id === id && member.storeId === storeId) === true;
  }

  /** In force somewhere, or once any of what operators have asked for is done. */
  get conceivableConfigurations(): readonly Configuration[] {
    const { operators } = this;
    return this.committed.possibleConfigurations
      .flatMap((configuration) => withVotesForAnyOf(configuration, (member) => operators.isRising(member)))
      .flatMap((configuration) => withoutAnyOf(configuration, (member) => operators.isLeaving(member)));
  }

  isSafeWithout(lost: WorldNode | undefined): boolean {
    const conceivable = this.conceivableConfigurations;
    if (conceivable.length === 0) return false;
    return surviveWith(conceivable, ({ id, storeId }) => {
      const node = this.nodes[id - 1];
      return node !== undefined && node !== lost && node.storeId === storeId && isSound(node);
    });
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
    if (pollOf(core.state.role) !== undefined) return false;
    return time.isHeartbeatWaiting(core.term, electionTimeoutMs);
  }

  awaited(work: Promise<unknown>): void {
    this.#awaited.push(work);
  }

  ending(node: WorldNode, work: Promise<void>, ended: () => void): void {
    const { life } = node.time;
    let hasEnded = false;
    let patienceMs = ENDING_MS;
    work.then(
      () => {
        hasEnded = true;
      },
      (error: unknown) => this.report("unexpected exception", String(error)),
    );
    const look = () => {
      if (node.time.life !== life) return;
      if (hasEnded) {
        ended();
        return;
      }
      if (!node.time.isPaused && node.extraSyncMs === 0) patienceMs -= LOOK_EVERY_MS;
      if (patienceMs <= 0)
        this.report("ends when told to", `${node.name} has not ended ${ENDING_MS} ms after it was told to`);
      // Promises settle between steps only where the run waits for one.
      this.awaited(Promise.resolve());
      this.later(LOOK_EVERY_MS, look);
    };
    this.later(0, look);
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
    this.#guarded(node, event);
  }

  #run(node: SimulatedNode, event: SimulatedEvent): void {
    const { time } = node;
    if (!time.offer(event) || !time.hasAfterInput || this.#busy.get(node) === time.life) return;
    if (this.#loopRandom.chance(this.plan.busyChance)) this.#flushLater(node);
    else time.runAfterInput();
  }

  /** The node is busy for a moment: what arrives meanwhile is handled in the same turn. */
  #flushLater(node: SimulatedNode): void {
    const { time } = node;
    this.#busy.set(node, time.life);
    this.queue.schedule(this.#loopRandom.between(0, 2), "input", time, () => {
      this.#busy.delete(node);
      time.runAfterInput();
    });
  }

  /** What the node throws ends it, as it would end its process; then the node is checked. */
  #guarded(node: SimulatedNode, what: SimulatedEvent | (() => void)): void {
    try {
      if (typeof what === "function") what();
      else this.#run(node, what);
    } catch (error) {
      node.thrown(error);
    }
    if (node.integrity === "wiped" && node.core !== undefined) {
      this.report("damage refused", `${node.name} took its seat with a wiped disk`);
    }
    if (this.trace !== undefined) this.#noteCommit(node);
    this.#consensus.check(node);
    this.#progress.check(node);
    while (this.sessions.nextIndex <= this.#appliedIndex) {
      const entry = this.committed.entry(this.sessions.nextIndex);
      if (entry === undefined) break;
      this.sessions.applied(entry);
    }
  }

  #noteCommit(node: SimulatedNode): void {
    const { core, name } = node;
    if (core === undefined) return;
    const before = this.#commits.get(core) ?? core.state.log.base.index;
    if (core.commitIndex === before) return;
    this.#commits.set(core, core.commitIndex);
    this.trace?.note(name, `* ${describeCommit(core, before)}`);
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

/** What it once promised it still knows, and it will be there. */
export function isSound({ status, integrity }: Pick<WorldNode, "status" | "integrity">): boolean {
  return integrity === "sound" && (status === "running" || status === "down");
}
