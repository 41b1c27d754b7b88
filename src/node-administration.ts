import { setTimeout as pause } from "node:timers/promises";
import type { Administration, MembershipChange, MembershipOutcome } from "./api/port.js";
import { OperatingFailure } from "./failure.js";
import { type AskNode, askLeader, type LeaderAnswer } from "./leader-calls.js";
import type { Configuration } from "./raft/types.js";
import { isDisplaced } from "./replica/seats.js";
import { snapshotFile } from "./storage/snapshot-file.js";
import {
  type ChangeMembersReply,
  type ChangeMembersRequest,
  type Description,
  PeerCallFailure,
  type PeerCalls,
  type SnapshotAnswer,
  type SnapshotSource,
} from "./transport/transport.js";

/** What administration needs of this node. */
export interface AdministeredNode {
  /** host:port of its own peer listener, as others reach it. */
  readonly address: string;
  /** "" before it belongs to one. */
  readonly clusterId: () => string;
  readonly members: () => readonly { readonly id: number; readonly address: string }[];
  /** At this very node; only a leader does it. `done` once. */
  readonly changeMembers: (request: ChangeMembersRequest, done: (reply: ChangeMembersReply) => void) => void;
  /** A copy of its state, to be closed. `done` once. */
  readonly openSnapshot: (done: (answer: SnapshotAnswer) => void) => void;
}

const DESCRIBE_MS = 3000;
/** One that asks has no peer listener yet: it has no seat that it could speak for. */
const LETTING_IN =
  "a node that was started with JOIN asks to be let in by itself; one that is let in by hand must run, with PEERS that name it and the members";
const PROMOTION_PAUSE_MS = 100;
/** A change that has committed is known to every follower within reach well before that. */
const VIEW_LAG_MS = 500;
const VIEW_PAUSE_MS = 20;

/** Brings an operator's wishes to the leader, from whichever node was asked. */
export class NodeAdministration implements Administration {
  readonly #node: AdministeredNode;
  readonly #calls: PeerCalls;
  readonly #deadlineMs: number;

  constructor(options: {
    readonly node: AdministeredNode;
    readonly calls: PeerCalls;
    /** For one change, whoever carries it out; callers may want it sooner. */
    readonly deadlineMs: number;
  }) {
    this.#node = options.node;
    this.#calls = options.calls;
    this.#deadlineMs = options.deadlineMs;
  }

  async changeMembers(change: MembershipChange, deadlineMs = this.#deadlineMs): Promise<MembershipOutcome> {
    const endsAt = performance.now() + Math.min(deadlineMs, this.#deadlineMs);
    if (change.kind !== "add") {
      // Before anything is asked: a removal that had to be repeated finds no member either, and was done all the same.
      const unknown = change.id === undefined ? undefined : await this.#whyAbsent(change.id, endsAt);
      return unknown ?? this.#ask(requestOf(change), endsAt);
    }
    const found = await this.#describe(change.id, change.address, endsAt);
    if ("detail" in found) return { kind: "refused", detail: found.detail };
    const { id, address } = change;
    const added = await this.#ask({ kind: "add", nodeId: id, storeId: found.storeId, address }, endsAt);
    return added.kind === "done" && change.voter ? this.#promoteOnceCaughtUp(id, added, endsAt) : added;
  }

  /** Undefined for a member, and while this node knows of none at all. */
  async #whyAbsent(id: number, endsAt: number): Promise<MembershipOutcome | undefined> {
    const lookUntil = Math.min(endsAt, performance.now() + VIEW_LAG_MS);
    for (;;) {
      const ids = this.#node.members().map((member) => member.id);
      if (ids.length === 0 || ids.includes(id)) return undefined;
      if (performance.now() >= lookUntil) {
        return { kind: "absent", detail: `node ${id} is no member; members are ${ids.join(", ")}` };
      }
      await pause(VIEW_PAUSE_MS);
    }
  }

  /** Who answers at the address; else why it cannot be let in under that id. */
  async #describe(id: number, address: string, endsAt: number): Promise<Description | { readonly detail: string }> {
    let found: Description;
    try {
      found = await this.#calls.describe(address, Math.min(DESCRIBE_MS, Math.max(1, endsAt - performance.now())));
    } catch (error) {
      if (!(error instanceof PeerCallFailure)) throw error;
      return { detail: `${error.message}; ${LETTING_IN}` };
    }
    const own = this.#node.clusterId();
    if (found.nodeId !== id) return { detail: `at ${address} node ${found.nodeId} answers, not node ${id}` };
    if (found.clusterId !== "" && found.clusterId !== own) {
      return { detail: `node ${id} at ${address} belongs to another cluster, ${found.clusterId}` };
    }
    if (found.clusterId === "" && !found.empty) {
      return { detail: `node ${id} at ${address} is not empty: its store may belong to another cluster` };
    }
    // It would not take the seat: what displaced it may have acted in its place.
    if (found.configuration !== undefined && isDisplaced(found.configuration, found)) {
      const known = `node ${id} at ${address} holds store ${found.storeId}, and knows that its seat was given to another`;
      return { detail: `${known}: let it begin anew with \`folio repair --rejoin\`` };
    }
    return found;
  }

  /** A learner that does not catch up in time stays one: that much is done. */
  async #promoteOnceCaughtUp(id: number, added: MembershipOutcome, endsAt: number): Promise<MembershipOutcome> {
    while (performance.now() < endsAt) {
      const answer = await this.#answerOf({ kind: "promote", nodeId: id }, endsAt);
      // Whatever else came of it: the member was added, and that must not be told as a failure.
      if (answer.kind === "done") return doneAs(answer.reply);
      await pause(Math.min(PROMOTION_PAUSE_MS, Math.max(0, endsAt - performance.now())));
    }
    return added;
  }

  #answerOf(request: ChangeMembersRequest, endsAt: number): Promise<LeaderAnswer> {
    const { address, members } = this.#node;
    const others = members().map((member) => member.address);
    const addresses = [...new Set([address, ...others])];
    const deadlineMs = Math.max(1, endsAt - performance.now());
    return askLeader(request, { ask: this.#askNode, addresses, deadlineMs });
  }

  async #ask(request: ChangeMembersRequest, endsAt: number): Promise<MembershipOutcome> {
    const answer = await this.#answerOf(request, endsAt);
    switch (answer.kind) {
      case "done":
        return doneAs(answer.reply);
      case "refused":
        return { kind: "refused", detail: answer.reply.reason };
      case "unheard":
        throw new OperatingFailure("NOT_EXECUTED", `no leader took it: ${answer.why}`, 1000);
      case "unknown":
        throw new OperatingFailure("OUTCOME_UNKNOWN", `it may have happened; look before repeating: ${answer.why}`);
    }
  }

  readonly #askNode: AskNode = (address, request, deadlineMs) => {
    if (address !== this.#node.address) return this.#calls.changeMembers(address, request, deadlineMs);
    return new Promise((resolve, reject) => {
      const late = new PeerCallFailure("unanswered", `this node did not bring it about within ${deadlineMs} ms`);
      const timer = setTimeout(() => reject(late), deadlineMs);
      this.#node.changeMembers(request, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
  };

  async *backup(): AsyncIterable<Uint8Array> {
    const answer = await new Promise<SnapshotAnswer>((resolve) => this.#node.openSnapshot(resolve));
    if ("refusal" in answer) throw new OperatingFailure("NOT_EXECUTED", `No backup now: ${answer.refusal}.`, 1000);
    try {
      yield* snapshotFile(chunksOf(answer.source));
    } finally {
      answer.source.close();
    }
  }
}

async function* chunksOf(source: SnapshotSource): AsyncIterable<Uint8Array> {
  const next = () =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      source.next((failure, chunk) => (failure === undefined ? resolve(chunk) : reject(failure)));
    });
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
}

function requestOf(change: Exclude<MembershipChange, { readonly kind: "add" }>): ChangeMembersRequest {
  return { kind: change.kind, nodeId: change.id } as ChangeMembersRequest;
}

function doneAs({ configuration, leaderId }: ChangeMembersReply): MembershipOutcome {
  return { kind: "done", members: membersOf(configuration), leaderId };
}

function membersOf(configuration: Configuration | undefined): Extract<MembershipOutcome, { kind: "done" }>["members"] {
  return configuration?.members.map(({ id, kind, address }) => ({ id, kind, address })) ?? [];
}
