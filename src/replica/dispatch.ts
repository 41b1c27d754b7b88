import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../assert.js";
import { Batch, Group } from "../generated/folio/log/v1/log.js";
import type { Recollection } from "../machine/replicated-state.js";
import type { RaftCore } from "../raft/core.js";
import type { NodeId } from "../raft/types.js";
import type { Forward, ForwardRejected, Transport } from "../transport/transport.js";
import { Inbox } from "./inbox.js";
import { LIMITS } from "./options.js";
import type { Clock, ReplicaObserver } from "./ports.js";
import type { Proposals } from "./proposals.js";
import type { SessionKeeper } from "./session-keeper.js";

/** Attempts of registrations are not commands of a session: they go by this number. */
const REGISTRATION_ATTEMPT = 0;
const SKEW_MESSAGE = "The leader's clock is too far from the cluster's; no number is stamped until it is mended.";
const RETRY_AFTER_MS = 1000;

/** Brings commands to the log: into an entry on the leader, to the leader on every other node. */
export class Dispatch {
  readonly #nodeId: NodeId;
  readonly #heartbeatMs: number;
  readonly #proposals: Proposals;
  readonly #sessions: SessionKeeper;
  readonly #transport: Pick<Transport, "send">;
  readonly #clock: Clock;
  readonly #observer: Pick<ReplicaObserver, "entryPacked">;
  readonly #inbox = new Inbox();
  readonly #writer = new BinaryWriter();
  #forwardNotBefore = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly nodeId: NodeId;
    readonly heartbeatMs: number;
    readonly proposals: Proposals;
    readonly sessions: SessionKeeper;
    readonly transport: Pick<Transport, "send">;
    readonly clock: Clock;
    readonly observer: Pick<ReplicaObserver, "entryPacked">;
  }) {
    this.#nodeId = options.nodeId;
    this.#heartbeatMs = options.heartbeatMs;
    this.#proposals = options.proposals;
    this.#sessions = options.sessions;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#observer = options.observer;
  }

  /** What was sent to the leader before, or on the stream before, may be lost: it may go at once. */
  leaderChanged(): void {
    this.#forwardNotBefore = Number.NEGATIVE_INFINITY;
    this.#sessions.leaderChanged();
  }

  /** The leader is known, and within reach: all that is not answered goes (again). */
  leaderKnown(): void {
    this.#proposals.repeatAll();
  }

  /** A session that the applied state has closed is given up; another one will be registered. */
  checkSession(isOpen: (session: number) => boolean): void {
    const { session } = this.#sessions;
    if (session === 0 || isOpen(session)) return;
    this.#sessions.closed();
    this.#proposals.retagAll();
  }

  /** Entries were passed over: what waits is answered from the state that came in their place, or goes again. */
  recall(recollect: (session: number, request: number) => Recollection): void {
    const { session } = this.#sessions;
    if (session !== 0) this.#proposals.recall((request) => recollect(session, request));
  }

  /** Without a session, nothing that waits has acted or will: it ends. Returns whether that is so. */
  failWithoutSession(message: string): boolean {
    if (this.#sessions.session !== 0) return false;
    this.#proposals.failQueued(message);
    return true;
  }

  /** This node serves nobody: what was never tried, or certainly refused each time, ends. */
  refuse(message: string): void {
    this.#proposals.failQueued(message);
  }

  receiveForward(core: RaftCore, from: NodeId, { forwardId, group: bytes, commandCount }: Forward): void {
    if (core.roleName !== "leader") {
      this.#reject(core, { to: from, forwardId, reason: "notLeader" });
      return;
    }
    const registersSession = commandCount === 1 && Group.decode(bytes).session === 0;
    const taken = this.#inbox.add({ from, forwardId, bytes, commandCount, registersSession });
    if (!taken) this.#reject(core, { to: from, forwardId, reason: "overloaded" });
  }

  #reject(core: RaftCore, rejection: { to: NodeId; forwardId: number; reason: ForwardRejected["reason"] }): void {
    const { to, ...rest } = rejection;
    if (to === this.#nodeId) return;
    this.#transport.send(to, [{ type: "forwardRejected", ...rest, leaderId: core.leader }]);
  }

  receiveRejection({ forwardId, reason }: ForwardRejected, now: number): void {
    if (forwardId === REGISTRATION_ATTEMPT) return;
    // What goes again (its leader is another, or an earlier attempt of it may act) would be refused in every turn.
    this.#forwardNotBefore = now + this.#heartbeatMs;
    switch (reason) {
      case "notLeader":
        this.#proposals.refused(forwardId);
        return;
      case "clockSkew":
        this.#proposals.failRefused(forwardId, SKEW_MESSAGE, RETRY_AFTER_MS);
        return;
      case "overloaded":
        this.#proposals.failRefused(forwardId, "Too many requests are waiting at the leader.", RETRY_AFTER_MS);
    }
  }

  /** Sends the node's registration, if it has to be sent. Returns whether there is something to pack. */
  register(leader: NodeId, now: number): boolean {
    const bytes = this.#sessions.registrationDue(now);
    if (bytes === undefined) return false;
    const registration = { forwardId: REGISTRATION_ATTEMPT, commandCount: 1 };
    if (leader === this.#nodeId) {
      return this.#inbox.add({ ...registration, from: leader, bytes, registersSession: true });
    }
    this.#transport.send(leader, [{ type: "forward", ...registration, group: bytes }]);
    return false;
  }

  /**
   * The leader packs everything that waits into one entry. Only while no write is in flight: what
   * arrives during a write forms the next entry (group commit).
   */
  pack(core: RaftCore, now: number): void {
    const isFull = core.lastIndex - core.commitIndex >= LIMITS.uncommittedEntriesMax;
    if (isFull || !core.acceptsProposals) return;
    const groups = this.#inbox.take({ commands: LIMITS.entryCommandsMax, bytes: LIMITS.entryBytesMax });
    const packed = groups.map((group) => group.bytes);
    let commands = 0;
    let bytes = 0;
    for (const group of groups) {
      commands += group.commandCount;
      bytes += group.bytes.length;
    }
    const room = { commands: LIMITS.entryCommandsMax - commands, bytes: LIMITS.entryBytesMax - bytes };
    if (groups[0]?.registersSession !== true && room.commands > 0 && room.bytes > 0) {
      const own = this.#packOwn(room, now);
      if (own !== undefined) {
        packed.push(own.bytes);
        commands += own.commandCount;
      }
    }
    if (packed.length === 0) return;
    const payload = Batch.encode({ time: this.#clock.wall(), groups: packed }, this.#writer).finish();
    const position = core.propose([payload], now);
    invariant(position !== undefined, "a leader that accepts proposals appends them");
    this.#observer.entryPacked({ commands, bytes: payload.length });
  }

  #packOwn(room: { readonly commands: number; readonly bytes: number }, now: number) {
    const { session } = this.#sessions;
    return session === 0 || !this.#proposals.hasQueued ? undefined : this.#proposals.pack(session, room, now);
  }

  /** What waits at any other node goes to the leader, many commands per message. */
  forward(leader: NodeId, now: number): void {
    const { session } = this.#sessions;
    if (session === 0 || now < this.#forwardNotBefore) return;
    while (this.#proposals.hasQueued) {
      const room = { commands: LIMITS.entryCommandsMax, bytes: LIMITS.entryBytesMax };
      const group = this.#proposals.pack(session, room, now);
      if (group === undefined) return;
      const { bytes, commandCount, attempt } = group;
      this.#transport.send(leader, [{ type: "forward", forwardId: attempt, group: bytes, commandCount }]);
    }
  }

  /** This node leads no more: what was forwarded to it was certainly not proposed. */
  rejectInbox(core: RaftCore): void {
    for (const { from: to, forwardId } of this.#inbox.takeAll()) {
      this.#reject(core, { to, forwardId, reason: "notLeader" });
    }
  }

  /** The leader's clock cannot stamp: nothing is proposed, and everybody is told. */
  refuseForSkew(core: RaftCore): void {
    for (const { from: to, forwardId } of this.#inbox.takeAll()) {
      this.#reject(core, { to, forwardId, reason: "clockSkew" });
    }
    this.#proposals.failQueued(SKEW_MESSAGE);
  }
}
