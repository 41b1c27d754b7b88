import { unreachable } from "../assert.js";
import type { RaftCore } from "../raft/core.js";
import { isVoter } from "../raft/quorum.js";
import type { MemberChange, MemberChangeRefusal, NodeId, Position } from "../raft/types.js";
import type { ChangeMembersReply, ChangeMembersRequest } from "../transport/transport.js";
import { freeId, notNowReason, refusalReason } from "./member-wording.js";
import type { Membership } from "./membership.js";
import { LIMITS } from "./options.js";
import type { PeerBook } from "./peer-book.js";
import type { Clock } from "./ports.js";

/** A request on its way: it waits for its turn, then for its commit. */
interface Pending {
  readonly request: ChangeMembersRequest;
  readonly done: (reply: ChangeMembersReply) => void;
  /** Monotonic ms. */
  readonly deadline: number;
  /** Since when too few voters answer, monotonic ms: a leader that is new has not heard everybody yet. */
  atRiskSince: number | undefined;
  /** The node it is about; 0 until it is known. */
  nodeId: NodeId | 0;
  /** What must commit. */
  appended: Position | undefined;
  /** Leadership is on its way there. */
  successor: NodeId | undefined;
  /** Why it could not be begun yet. */
  why: string;
}

type Removal = Extract<ChangeMembersRequest, { readonly kind: "remove" }>;
type Outcome = Pick<ChangeMembersReply, "outcome"> & { readonly reason?: string };

const DONE: Outcome = { outcome: "done" };

/**
 * Changes of membership that this node was asked for. Only a leader carries them out, one at a time
 * (the core sees to that): who comes in between waits, for a bounded time.
 */
export class MemberChanges {
  readonly #membership: Membership;
  readonly #peers: PeerBook;
  readonly #clock: Clock;
  readonly #electionTimeoutMs: number;
  readonly #wake: () => void;
  #pending: Pending[] = [];
  /** No id of a member that this node has seen is given to another one. */
  #highestId: NodeId = 0;

  constructor(options: {
    readonly membership: Membership;
    readonly peers: PeerBook;
    readonly clock: Clock;
    readonly electionTimeoutMs: number;
    readonly wake: () => void;
  }) {
    this.#membership = options.membership;
    this.#peers = options.peers;
    this.#clock = options.clock;
    this.#electionTimeoutMs = options.electionTimeoutMs;
    this.#wake = options.wake;
  }

  /** `done` once, perhaps at once. */
  request(request: ChangeMembersRequest, done: (reply: ChangeMembersReply) => void): void {
    const pending: Pending = {
      request,
      done,
      deadline: this.#clock.monotonic() + LIMITS.memberChangeMs,
      atRiskSince: undefined,
      nodeId: request.nodeId ?? 0,
      appended: undefined,
      successor: undefined,
      why: "",
    };
    const { core, reason } = this.#membership;
    if (core === undefined) this.#answer(pending, { outcome: "notLeader", reason });
    else if (this.#pending.length >= LIMITS.memberChangesMax) {
      this.#answer(pending, { outcome: "refused", reason: "Too many changes of membership are waiting." });
    } else {
      this.#pending.push(pending);
      this.#wake();
    }
  }

  /** Begins what can begin, and answers what has come to its end. */
  advance(core: RaftCore, now: number): void {
    if (this.#pending.length === 0) return;
    const settled: { readonly pending: Pending; readonly outcome: Outcome }[] = [];
    const waiting: Pending[] = [];
    for (const pending of this.#pending) {
      const outcome = this.#advance(core, pending, now) ?? this.#expired(pending, now);
      if (outcome === undefined) waiting.push(pending);
      else settled.push({ pending, outcome });
    }
    this.#pending = waiting;
    // Told last: who is told may ask again at once.
    for (const { pending, outcome } of settled) this.#answer(pending, outcome);
  }

  #advance(core: RaftCore, pending: Pending, now: number): Outcome | undefined {
    if (pending.appended !== undefined) return fateOf(core, pending.appended);
    if (core.roleName !== "leader") return this.#without(core, pending);
    const { request } = pending;
    switch (request.kind) {
      case "transfer":
        return this.#transfer(core, pending, request.nodeId, now);
      case "remove":
        return this.#remove(core, pending, request, now);
      case "promote":
        return this.#change(core, pending, { kind: "promote", id: request.nodeId }, now);
      case "add": {
        const { storeId, address } = request;
        pending.nodeId = request.nodeId === 0 ? this.#idOf(core, storeId) : request.nodeId;
        return this.#change(
          core,
          pending,
          { kind: "addLearner", member: { id: pending.nodeId, storeId, address } },
          now,
        );
      }
      default:
        return unreachable(request);
    }
  }

  /** Another node leads, or nobody does (yet). */
  #without(core: RaftCore, { request, successor }: Pending): Outcome | undefined {
    if (successor === undefined) return { outcome: "notLeader", reason: "This node does not lead." };
    // Leadership was on its way: until somebody leads, nobody can be named.
    if (core.leader === undefined) return undefined;
    if (request.kind !== "transfer") return { outcome: "notLeader", reason: "This node does not lead any more." };
    if (core.leader === successor) return DONE;
    return { outcome: "refused", reason: `Node ${core.leader} leads now, and not node ${successor}.` };
  }

  #transfer(core: RaftCore, pending: Pending, wanted: NodeId | undefined, now: number): Outcome | undefined {
    if (pending.successor !== undefined) {
      if (!core.acceptsProposals) return undefined;
      return { outcome: "refused", reason: `Node ${pending.successor} did not take over leadership in time.` };
    }
    const target = wanted ?? this.#peers.bestSuccessor(core);
    if (target === core.id) return DONE;
    if (target === undefined) return { outcome: "refused", reason: "No other voter is within reach." };
    pending.nodeId = target;
    if (!isVoter(core.configuration, target)) return { outcome: "refused", reason: `Node ${target} is no voter.` };
    if (!this.#peers.isConnected(target)) {
      return { outcome: "refused", reason: `Node ${target} cannot be reached now: start it first.` };
    }
    if (core.transferLeadership(target, now)) pending.successor = target;
    else pending.why = notNowReason("transferring");
    return undefined;
  }

  #remove(core: RaftCore, pending: Pending, { nodeId: id, storeId }: Removal, now: number): Outcome | undefined {
    const holder = core.configuration.members.find((member) => member.id === id);
    if (holder === undefined || (storeId !== undefined && holder.storeId !== storeId)) {
      if (core.commitIndex >= core.state.log.configurationIndex) return DONE;
      pending.why = notNowReason("changeUnderway");
      return undefined;
    }
    if (id === core.id && this.#handsOverFirst(core, pending, now)) return undefined;
    return this.#change(core, pending, { kind: "remove", id }, now);
  }

  /** A leader that is to go hands over first, so that nobody waits for an election; if it can. */
  #handsOverFirst(core: RaftCore, pending: Pending, now: number): boolean {
    if (pending.successor !== undefined) return !core.acceptsProposals;
    const successor = this.#peers.bestSuccessor(core);
    if (successor === undefined || !core.transferLeadership(successor, now)) return false;
    pending.successor = successor;
    return true;
  }

  #change(core: RaftCore, pending: Pending, change: MemberChange, now: number): Outcome | undefined {
    const answer = core.changeMembers(change, now);
    switch (answer.kind) {
      case "unchanged":
        return DONE;
      case "appended":
        pending.appended = answer.position;
        this.#wake();
        return undefined;
      case "refused":
        if (isPassing(answer.reason)) {
          pending.why = notNowReason(answer.reason);
          return undefined;
        }
        if (answer.reason === "quorumAtRisk") {
          pending.atRiskSince ??= now;
          if (now - pending.atRiskSince < this.#electionTimeoutMs) return undefined;
        }
        if (answer.reason === "notLeader") return { outcome: "notLeader", reason: "This node does not lead any more." };
        return { outcome: "refused", reason: refusalReason(core, change, answer.reason) };
      default:
        return unreachable(answer);
    }
  }

  /** The same store has the same id, however often it asks; another one gets an id that nobody has had. */
  #idOf(core: RaftCore, storeId: string): NodeId {
    const { members } = core.configuration;
    const known = members.find((member) => member.storeId === storeId)?.id;
    if (known !== undefined) return known;
    const asked = this.#pending.map(({ request, nodeId }) =>
      request.kind === "add" ? { ...request, nodeId } : undefined,
    );
    const before = asked.find((other) => other?.storeId === storeId && other.nodeId !== 0);
    if (before !== undefined) return before.nodeId;
    const taken = [...members.map(({ id }) => id), ...asked.map((other) => other?.nodeId ?? 0)];
    return freeId(taken, this.#highestId);
  }

  /** A configuration is in force. */
  seen(members: readonly { readonly id: NodeId }[]): void {
    for (const { id } of members) this.#highestId = Math.max(this.#highestId, id);
  }

  #expired({ deadline, appended, successor, why }: Pending, now: number): Outcome | undefined {
    if (now < deadline) return undefined;
    if (appended !== undefined) return { outcome: "unknown", reason: "The change has not committed yet." };
    if (successor !== undefined) return { outcome: "unknown", reason: "No other leader was heard of yet." };
    return { outcome: "refused", reason: why };
  }

  #answer(pending: Pending, { outcome, reason = "" }: Outcome): void {
    const { core } = this.#membership;
    const leader = core?.leader;
    const { configuration } = this.#membership.hello();
    const leaderAddress = configuration?.members.find(({ id }) => id === leader)?.address ?? "";
    pending.done({
      outcome,
      reason,
      leaderAddress,
      nodeId: pending.nodeId,
      ...(leader === undefined ? {} : { leaderId: leader }),
      ...(configuration === undefined ? {} : { configuration }),
    });
  }

  /** A member that says it is reached elsewhere is entered there: one at a time, when nothing else is under way. */
  readdress(core: RaftCore, now: number): void {
    if (this.#pending.length > 0 || core.roleName !== "leader") return;
    for (const { id, address } of core.configuration.members) {
      const told = this.#membership.addressToldBy(id);
      if (told === undefined || told === address || isNowhere(told)) continue;
      if (core.changeMembers({ kind: "readdress", id, address: told }, now).kind === "appended") this.#wake();
      return;
    }
  }

  /** The node ends. What was begun may still come about. */
  failAll(reason: string): void {
    for (const pending of this.#pending.splice(0)) {
      const isBegun = pending.appended !== undefined || pending.successor !== undefined;
      this.#answer(pending, { outcome: isBegun ? "unknown" : "refused", reason });
    }
  }
}

/**
 * It commits, or another entry commits in its place and it never happens. Until then nothing is known, even where it is
 * gone from this log: another leader may still bring it back (Figure 3.7, classic bug 18).
 */
function fateOf(core: RaftCore, { index, term }: Position): Outcome | undefined {
  if (core.commitIndex < index) return undefined;
  const found = core.termAt(index);
  // Cut away meanwhile; while the term lasts, nobody can have replaced it.
  if (found === term || core.term === term) return DONE;
  if (found === undefined) return { outcome: "unknown", reason: "This node was behind while the change was decided." };
  return { outcome: "notLeader", reason: "Another leader took over before the change could commit." };
}

/** What time alone may mend. */
function isPassing(reason: MemberChangeRefusal): reason is "transferring" | "termNotOpen" | "changeUnderway" {
  return reason === "transferring" || reason === "termNotOpen" || reason === "changeUnderway";
}

/** What a node binds to in order to be reached at any address is no address. */
function isNowhere(address: string): boolean {
  return address.startsWith("0.0.0.0:") || address.startsWith("[::]:") || address.startsWith(":::");
}
