import { type OwnOutcomes, ReplicatedState } from "../machine/replicated-state.js";
import type { RaftCore } from "../raft/core.js";
import type { Configuration, LogIndex, Member, NodeId, Transition } from "../raft/types.js";
import type { Hello, PeerMessage } from "../transport/transport.js";
import { Applier } from "./applier.js";
import { CoreIo } from "./core-io.js";
import { Dispatch } from "./dispatch.js";
import { ElectionTimer } from "./election-timer.js";
import { EntryCache } from "./entry-cache.js";
import { openCore } from "./open-core.js";
import { LIMITS, type ReplicaOptions, type ReplicaPorts } from "./options.js";
import { PeerBook } from "./peer-book.js";
import { Proposals, type Waiter } from "./proposals.js";
import { Reads, type ReadWaiter } from "./reads.js";
import { assertLogHoldsState } from "./recovery.js";
import { RepeatingTimer } from "./repeating-timer.js";
import { type ReplicaView, type SelfReport, viewOf, viewOutside } from "./report.js";
import { Seating } from "./seating.js";
import { Seats } from "./seats.js";
import { SessionKeeper } from "./session-keeper.js";
import { SkewGuard } from "./skew-guard.js";
import { StatusExchange } from "./status-exchange.js";

const STOPPING = "The node is shutting down.";

/**
 * The host of the core: drains inputs, steps the core, persists, sends, applies, in turns. Every
 * effect reaches the world through ports, so the simulator runs this very code.
 *
 * One turn: tick if due, pack what arrived, send, write, apply, answer. Input that arrives while
 * a write is in flight forms the next entry (group commit).
 */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #ports: ReplicaPorts;
  readonly #replicated: ReplicatedState;
  readonly #applier: Applier;
  readonly #entries: EntryCache;
  readonly #seating: Seating;
  readonly #io: CoreIo;
  readonly #peers = new PeerBook();
  readonly #statuses: StatusExchange;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #sessions: SessionKeeper;
  readonly #dispatch: Dispatch;
  readonly #skew: SkewGuard;
  readonly #electionTimer: ElectionTimer;
  readonly #housekeeping: RepeatingTimer;
  readonly #own: OwnOutcomes;
  #core: RaftCore | undefined;
  #turnScheduled = false;
  #phase: "serving" | "draining" | "stopped" = "serving";
  #hasFailed = false;
  #stopping: Promise<void> | undefined;
  #ended: (() => void) | undefined;

  /** @throws StorageFailure DAMAGED when log and state contradict each other. */
  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    const { log, state, clock, timers, transport, observer, randomness, machines } = ports;
    const { nodeId, address, version, electionTimeoutMs, heartbeatMs, maxClockSkewMs: skewMaxMs } = options;
    const { recovery, storeId } = log;
    this.#options = options;
    this.#ports = ports;
    this.#replicated = new ReplicatedState(state, machines);
    assertLogHoldsState(recovery, this.#replicated.applied);
    const failed = (failure: Error) => this.#fail(failure);
    this.#applier = new Applier({ replicated: this.#replicated, state, clock, observer, failed });
    const nextIndex = recovery.base.index + recovery.terms.length + 1;
    this.#entries = new EntryCache(log, { nextIndex, bytesMax: LIMITS.cacheBytesMax });
    this.#io = new CoreIo({
      entries: this.#entries,
      log,
      transport,
      clock,
      observer,
      written: () => this.#wake(),
      failed,
    });
    const seats = new Seats({
      self: { nodeId, storeId, address, version },
      founders: options.founders,
      configuration: recovery.configurations.at(-1)?.configuration ?? recovery.baseConfiguration,
      empty: recovery.empty,
    });
    const seated = (configuration: Configuration) => this.#openCore(configuration);
    this.#seating = new Seating({ seats, log, observer, seated, failed });
    const firstId = randomness.uint32() * 2 ** 20 + 1;
    this.#proposals = new Proposals({ retryMs: 4 * electionTimeoutMs, firstId });
    this.#reads = new Reads({ retryMs: electionTimeoutMs, firstId });
    this.#sessions = new SessionKeeper({ nodeId, storeId, nonce: randomness.id(), repeatMs: 2 * electionTimeoutMs });
    const desk = { proposals: this.#proposals, sessions: this.#sessions, transport, clock, observer };
    this.#dispatch = new Dispatch({ nodeId, heartbeatMs, ...desk });
    this.#statuses = new StatusExchange({ peers: this.#peers, transport });
    this.#skew = new SkewGuard({ nodeId, skewMaxMs, windowMs: 8 * electionTimeoutMs, observer });
    const due = () => this.#wake();
    this.#electionTimer = new ElectionTimer({ timers, clock, observer, latenessMaxMs: heartbeatMs, due });
    const run = () => this.#guarded(() => this.#housekeep());
    this.#housekeeping = new RepeatingTimer({ timers, intervalMs: LIMITS.housekeepingMs, run });
    this.#own = this.#sessions.ownOutcomes({
      // What went under a session that was closed in the same portion of entries never acts.
      opened: () => this.#leaderIs(this.#core?.leader),
      settled: (request, result) => this.#proposals.settled(request, result),
    });
  }

  async start(): Promise<void> {
    await this.#ports.transport.start({
      received: (from, messages, clock) => this.#received(from, messages, clock),
      connected: (peer) => this.#connected(peer),
      disconnected: (peer) => this.#disconnected(peer),
    });
    this.#ports.transport.setPeers(this.#options.founders.filter(({ id }) => id !== this.#options.nodeId));
    this.#seating.settle();
    this.#housekeeping.start();
    this.#wake();
  }

  /** Takes a command for a mounted machine; the waiter is called exactly once, later. */
  propose(
    command: { readonly machine: number; readonly payload: Uint8Array },
    deadlineMs: number,
    waiter: Waiter,
  ): void {
    if (this.#phase !== "serving") {
      waiter.fail("NOT_EXECUTED", STOPPING, 1000);
      return;
    }
    this.#proposals.submit(command, this.#deadline(deadlineMs), waiter);
    this.#wake();
  }

  /** Calls back when this node's state is at least as new as everything committed before the call. */
  read(deadlineMs: number, waiter: ReadWaiter): void {
    if (this.#isStopped) {
      waiter.fail(STOPPING);
      return;
    }
    this.#reads.add(waiter, this.#deadline(deadlineMs));
    this.#wake();
  }

  #deadline(waitMs: number): number {
    return this.#ports.clock.monotonic() + Math.min(waitMs, this.#options.requestDeadlineMs);
  }

  get appliedIndex(): LogIndex {
    return this.#applier.appliedIndex;
  }

  /** Effective time of the newest applied entry, ms since the epoch. */
  get appliedTime(): number {
    return this.#replicated.time;
  }

  /** For checkers: everything the core knows; undefined before this node has its seat. */
  get core(): RaftCore | undefined {
    return this.#core;
  }

  // Input: fed to the core at once, its effects carried out in the turn that follows.

  #connected(peer: NodeId): void {
    this.#peers.connected(peer);
    this.#ports.transport.send(peer, [this.#seating.hello()]);
    if (this.#core === undefined) return;
    this.#statuses.tell(peer, this.#core, this.#selfReport());
    // Whatever was on its way in the stream before may be lost with it.
    if (peer === this.#core.leader) this.#leaderIs(peer);
  }

  #disconnected(peer: NodeId): void {
    this.#peers.disconnected(peer);
    this.#seating.disconnected(peer);
    if (this.#isStopped) return;
    this.#guarded(() => this.#core?.peerUnreachable(peer, this.#ports.clock.monotonic()));
    this.#wake();
  }

  #received(from: NodeId, messages: readonly PeerMessage[], clock: number): void {
    if (!this.#isStopped) this.#guarded(() => this.#hear(from, messages, clock));
  }

  #hear(from: NodeId, messages: readonly PeerMessage[], clock: number): void {
    const now = this.#ports.clock.monotonic();
    this.#skew.heard(from, now, clock);
    for (const message of messages) {
      if (this.#isStopped) return;
      if (message.type === "hello") {
        if (this.#seating.received(from, message)) this.#tellAll(this.#seating.hello());
      } else if (this.#core !== undefined && this.#seating.admits(from)) this.#receive(this.#core, from, message, now);
    }
    this.#wake();
  }

  #receive(core: RaftCore, from: NodeId, message: Exclude<PeerMessage, Hello>, now: number): void {
    switch (message.type) {
      case "status": {
        const lost = this.#statuses.heard(from, message, core);
        if (lost !== undefined) this.#fail(lost);
        return;
      }
      case "forward":
        this.#dispatch.receiveForward(core, from, message);
        return;
      case "forwardRejected":
        this.#dispatch.receiveRejection(message, now);
        return;
      default:
        core.receive(message, now);
    }
  }

  #tellAll(message: PeerMessage): void {
    for (const peer of this.#peers.connectedPeers) this.#ports.transport.send(peer, [message]);
  }

  /** This store holds the node's seat: the core opens, on what the log recovered. */
  #openCore(baseConfiguration: Configuration): void {
    this.#core = openCore(this.#options, this.#ports, { baseConfiguration, appliedIndex: this.appliedIndex });
    this.#membershipChanged(this.#core.configuration);
    this.#tellAll(this.#seating.hello());
    this.#wake();
  }

  #membershipChanged(configuration: Configuration): void {
    this.#seating.adopt(configuration);
    const { nodeId, founders } = this.#options;
    // PEERS counts for those it names: it is how a member that moved is found again.
    const addressOf = ({ id, address }: Member) => founders.find((founder) => founder.id === id)?.address ?? address;
    const others = configuration.members.filter(({ id }) => id !== nodeId);
    this.#ports.transport.setPeers(others.map((member) => ({ id: member.id, address: addressOf(member) })));
  }

  // The turn.

  /** Input that is ready now is handled together, in one turn. */
  #wake(): void {
    if (this.#turnScheduled || this.#isStopped) return;
    this.#turnScheduled = true;
    this.#ports.timers.afterInput(() => {
      this.#turnScheduled = false;
      const core = this.#core;
      if (core !== undefined && !this.#isStopped) this.#guarded(() => this.#turn(core));
    });
  }

  #turn(core: RaftCore): void {
    const now = this.#ports.clock.monotonic();
    this.#electionTimer.tick(core, now);
    this.#dispatchCommands(core, now);
    const readId = this.#reads.nextAsk(now);
    if (readId !== undefined) core.readIndex(readId, now);
    const { transitions, reads } = this.#io.send(core, now);
    for (const transition of transitions) this.#observe(transition);
    for (const outcome of reads) this.#reads.outcome(outcome, now);
    this.#io.write(core);
    const hasMore = this.#applier.applyUpTo(core.applicableIndex, this.#entries, this.#own);
    this.#reads.applied(this.#applier.appliedIndex);
    this.#entries.trim(Math.min(this.#applier.appliedIndex, core.durableIndex));
    this.#applier.checkpointIfDue();
    if (hasMore) this.#wake();
    this.#electionTimer.arm(core.nextDeadline);
  }

  #dispatchCommands(core: RaftCore, now: number): void {
    this.#dispatch.checkSession((session) => this.#replicated.isSessionOpen(session));
    if (core.leader !== undefined && this.#phase === "serving") this.#dispatch.register(core.leader, now);
    if (core.roleName !== "leader") {
      this.#dispatch.rejectInbox(core);
      const { leader } = core;
      if (leader !== undefined && this.#peers.isConnected(leader)) this.#dispatch.forward(leader, now);
    } else if (this.#skew.forbidsStamp(core, { now, wall: this.#ports.clock.wall() })) {
      this.#dispatch.refuseForSkew(core);
    } else if (!this.#io.isWriting) {
      this.#dispatch.pack(core, now);
    }
  }

  #observe(transition: Transition): void {
    this.#ports.observer.transition(transition);
    if (transition.kind === "configurationChanged") this.#membershipChanged(transition.configuration);
    if (transition.kind === "leaderChanged") this.#leaderIs(transition.leader);
  }

  #leaderIs(leader: NodeId | undefined): void {
    this.#dispatch.leaderChanged();
    if (leader === undefined) return;
    this.#dispatch.leaderKnown();
    this.#reads.leaderKnown();
    this.#wake();
  }

  // Time.

  #housekeep(): void {
    const now = this.#ports.clock.monotonic();
    const core = this.#core;
    this.#proposals.housekeep(now, { repeatUnanswered: core !== undefined && core.roleName !== "leader" });
    this.#reads.housekeep(now);
    if (core === undefined) return;
    this.#skew.watch(core, { now, wall: this.#ports.clock.wall() });
    this.#statuses.tellAllIfDue(now, core, this.#selfReport());
    this.#wake();
  }

  // What others may know.

  view(): ReplicaView {
    const self = this.#selfReport();
    return this.#core === undefined ? viewOutside(self) : viewOf(this.#core, self, this.#peers);
  }

  #selfReport(): SelfReport {
    const { nodeId, restAddress, grpcAddress } = this.#options;
    return { nodeId, restAddress, grpcAddress, appliedIndex: this.appliedIndex, reason: this.#reasonUnready() };
  }

  #reasonUnready(): string {
    if (this.#phase !== "serving") return STOPPING;
    if (this.#seating.reason !== "" || this.#core === undefined) return this.#seating.reason;
    if (this.#core.leader === undefined) return "No leader is known.";
    if (this.#sessions.session === 0) return "The node has not registered its session yet.";
    return "";
  }

  get #isStopped(): boolean {
    return this.#phase === "stopped";
  }

  get isLeader(): boolean {
    return this.#core?.roleName === "leader";
  }

  /** Leads, and waits for its successor to take over. */
  get isHandingOver(): boolean {
    return this.isLeader && this.#core?.acceptsProposals === false;
  }

  /** How many calls still wait for an answer here. */
  get waitingCount(): number {
    return this.#proposals.waitingCount + this.#reads.count;
  }

  // The end.

  /** Hands leadership to the given voter, else to the one that holds most of the log. */
  transferLeadership(target?: NodeId): boolean {
    const core = this.#core;
    if (core?.roleName !== "leader") return false;
    const chosen = target ?? this.#peers.bestSuccessor(core);
    const begun = chosen !== undefined && core.transferLeadership(chosen, this.#ports.clock.monotonic());
    this.#wake();
    return begun;
  }

  /** Takes no new commands; those that wait are still answered. */
  drain(): void {
    if (this.#phase === "serving") this.#phase = "draining";
  }

  /** Writes a last checkpoint and ends; what still waits is told so. The ports stay the caller's. */
  stop(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#stopping ??= new Promise((resolve) => {
      this.#ended = resolve;
      this.#applier.checkpoint(() => this.#end());
    });
    return this.#stopping;
  }

  #end(): void {
    this.#phase = "stopped";
    this.#electionTimer.cancel();
    this.#housekeeping.cancel();
    this.#proposals.failAll(STOPPING);
    this.#reads.failAll(STOPPING);
    this.#ended?.();
  }

  /**
   * What is half done when something throws must not be gone on with: an entry of which a part was
   * applied would be applied again. So this node is silent before anybody else runs.
   */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(failure: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#end();
    this.#ports.fatal(failure);
  }
}
