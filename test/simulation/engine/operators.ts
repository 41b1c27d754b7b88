import type { Configuration, Member, NodeId } from "../../../src/raft/types.js";
import type { ChangeMembersReply, ChangeMembersRequest } from "../../../src/transport/transport.js";
import { quorumOf, votersOf } from "../checkers/stores.js";
import type { SimulatedNode } from "./simulated-node.js";
import type { ClusterOperators, World, WorldNode } from "./world.js";

/** What operators need of the simulation beside what everybody sees. */
export interface Grounds extends World {
  readonly nodes: readonly SimulatedNode[];
  members(): readonly SimulatedNode[];
  node(id: NodeId): SimulatedNode;
  door(number: number): SimulatedNode;
  /** Another node, or one that was there before. */
  place(id: NodeId): SimulatedNode;
}

/** Members at one time at most. */
const MEMBERS_MAX = 7;
const NODES_MAX = 12;
/** Nobody waits longer for an answer that may have died with its node. */
const ANSWER_MS = 6000;
const PATIENCE_MS = 9000;

/**
 * Those who change who belongs to the cluster. They ask some node, follow its word of who leads, ask
 * again when they are refused or hear nothing, and give up after a while. One of them at a time minds a node.
 */
export class Operators implements ClusterOperators {
  readonly #world: Grounds;
  readonly #minded = new Set<NodeId>();
  /** Those whose removal is asked for: they may be gone at any time. */
  readonly #leaving = new Set<NodeId>();
  /** Those whose vote is asked for: they may count at any time. */
  readonly #rising = new Set<NodeId>();
  #growing = 0;

  constructor(world: Grounds) {
    this.#world = world;
  }

  isLeaving({ id }: { readonly id: NodeId }): boolean {
    return this.#leaving.has(id);
  }

  isRising({ id }: { readonly id: NodeId }): boolean {
    return this.#rising.has(id);
  }

  grow(settings: { readonly isVoter: boolean; readonly reusesId: boolean; readonly assignsId: boolean }): void {
    const { members } = this.#world.committed.configuration ?? {};
    if (members === undefined || members.length + this.#growing >= MEMBERS_MAX) return;
    const id = this.#freeId(settings.reusesId);
    if (id === undefined) return;
    this.#minded.add(id);
    this.#growing++;
    const over = () => {
      this.#growing--;
      this.#minded.delete(id);
    };
    this.#join(this.#world.place(id), settings, over);
  }

  /** Of a node that was switched off, or one that never was. */
  #freeId(reusesId: boolean): NodeId | undefined {
    const { nodes, committed } = this.#world;
    const seats = new Set(committed.possibleConfigurations.flatMap(({ members }) => members.map(({ id }) => id)));
    const isFree = ({ id, status }: SimulatedNode) => status === "off" && !seats.has(id) && !this.#minded.has(id);
    const former = reusesId ? nodes.find(isFree) : undefined;
    if (former !== undefined) return former.id;
    return nodes.length < NODES_MAX ? nodes.length + 1 : nodes.find(isFree)?.id;
  }

  #join(
    node: SimulatedNode,
    { isVoter, assignsId }: { readonly isVoter: boolean; readonly assignsId: boolean },
    over: () => void,
  ): void {
    node.becomeJoiner();
    node.prepare();
    const { id, storeId, address } = node;
    // A leader assigns an id above all that it has seen: here it is foreseen, and asked for by name where it would be another.
    const nodeId = assignsId && this.#world.committed.highestId + 1 === id ? 0 : id;
    this.#ask({ kind: "add", nodeId, storeId, address }, (reply) => {
      if (reply?.outcome !== "done") {
        over();
        return;
      }
      if (reply.nodeId !== id) {
        // A leader that has seen less: nobody runs under that id, so it goes again.
        this.#ask({ kind: "remove", nodeId: reply.nodeId }, over);
        return;
      }
      node.letIn(reply.configuration?.members ?? []);
      this.#world.start(node);
      if (isVoter) this.#world.later(100, () => this.#promote(node, over));
      else over();
    });
  }

  #promote(node: SimulatedNode, over: () => void): void {
    this.#rising.add(node.id);
    this.#ask({ kind: "promote", nodeId: node.id }, (reply) => {
      // Who was asked and did not answer may still do it.
      if (reply !== undefined) this.#rising.delete(node.id);
      over();
    });
  }

  shrink({ id }: WorldNode, { staysOn }: { readonly staysOn: boolean }): void {
    const { committed, trace } = this.#world;
    const node = this.#world.node(id);
    if (this.#minded.has(node.id) || !this.#world.isNamed(node, committed.configuration)) return;
    if ((committed.configuration?.members.length ?? 0) < 2) return;
    this.#leaving.add(id);
    // Never down to those whose disks are damaged, though they do not know it yet.
    if (!this.#world.isSafeWithout(undefined)) {
      this.#leaving.delete(id);
      return;
    }
    this.#minded.add(node.id);
    this.#ask({ kind: "remove", nodeId: node.id }, (reply) => {
      if (reply !== undefined) this.#leaving.delete(id);
      const isGone = reply?.outcome === "done";
      if (!isGone || staysOn) {
        this.#minded.delete(node.id);
        return;
      }
      this.#world.later(200, () => {
        this.#minded.delete(node.id);
        if (!this.#world.isChaos) return;
        trace?.note(node.name, "is switched off, as it was removed");
        node.switchOff();
      });
    });
  }

  rejoin({ id }: WorldNode, { keepsId }: { readonly keepsId: boolean }): void {
    const { committed, trace } = this.#world;
    const node = this.#world.node(id);
    if (this.#minded.has(node.id) || committed.configuration === undefined) return;
    this.#minded.add(node.id);
    trace?.note(node.name, `is to come back as a new member${keepsId ? " under its id" : ""}`);
    const comeBack = () => {
      this.#minded.delete(node.id);
      if (!this.#world.isChaos) return;
      node.switchOff();
      if (!keepsId) {
        this.grow({ isVoter: true, reusesId: false, assignsId: false });
        return;
      }
      this.#minded.add(node.id);
      this.#join(node, { isVoter: true, assignsId: false }, () => this.#minded.delete(node.id));
    };
    const hasSeat = committed.configuration.members.some((member) => member.id === id);
    if (!hasSeat) comeBack();
    else {
      this.#ask({ kind: "remove", nodeId: node.id }, (reply) => {
        if (reply?.outcome === "done") comeBack();
        else this.#minded.delete(node.id);
      });
    }
  }

  readmit({ id: nodeId }: WorldNode): void {
    const { committed } = this.#world;
    const { members } = committed.configuration ?? {};
    const node = this.#world.node(nodeId);
    if (members === undefined || members.length + this.#growing >= MEMBERS_MAX || this.#minded.has(node.id)) return;
    if (members.some((member) => member.id === node.id)) return;
    this.#minded.add(node.id);
    const over = () => this.#minded.delete(node.id);
    const { id, storeId, address } = node;
    this.#ask({ kind: "add", nodeId: id, storeId, address }, (reply) => {
      if (reply?.outcome === "done") this.#promote(node, over);
      else over();
    });
  }

  /** `done` once: with the last answer, or with none when nothing came of it. */
  #ask(request: ChangeMembersRequest, done: (reply: ChangeMembersReply | undefined) => void): void {
    const endsAtMs = this.#world.queue.nowMs + PATIENCE_MS;
    this.#attempt(request, { endsAtMs, leader: undefined }, done);
  }

  #attempt(
    request: ChangeMembersRequest,
    { endsAtMs, leader }: { readonly endsAtMs: number; readonly leader: NodeId | undefined },
    done: (reply: ChangeMembersReply | undefined) => void,
  ): void {
    const { queue, faultRandom, trace } = this.#world;
    if (!this.#world.isChaos || queue.nowMs >= endsAtMs) {
      done(undefined);
      return;
    }
    const node = this.#world.door(leader ?? faultRandom.integer(1, MEMBERS_MAX));
    let isOver = false;
    const ended = (reply: ChangeMembersReply | undefined) => {
      if (isOver) return;
      isOver = true;
      trace?.note(
        "op",
        `${describe(request)} at ${node.name}: ${reply?.outcome ?? "no answer"} ${reply?.reason ?? ""}`,
      );
      if (reply?.outcome === "done" || isHopeless(request, reply)) done(reply);
      else {
        const next = faultRandom.chance(0.7) ? reply?.leaderId : undefined;
        this.#world.later(faultRandom.between(20, 300), () => this.#attempt(request, { endsAtMs, leader: next }, done));
      }
    };
    queue.schedule(faultRandom.between(0.05, 0.5), "input", node.time, () => {
      node.replica?.changeMembers(request, (reply) =>
        this.#world.later(faultRandom.between(0.05, 0.5), () => ended(reply)),
      );
    });
    this.#world.later(ANSWER_MS, () => ended(undefined));
  }
}

function describe(request: ChangeMembersRequest): string {
  return `${request.kind} n${request.nodeId ?? ""}`;
}

/** Who is not there cannot be removed, nor promoted: somebody else was faster, or it never came in. */
function isHopeless(request: ChangeMembersRequest, reply: ChangeMembersReply | undefined): boolean {
  if (reply?.outcome !== "refused" || request.kind === "add" || request.kind === "transfer") return false;
  return reply.configuration?.members.every(({ id }) => id !== request.nodeId) === true;
}

/** Whether every configuration keeps a majority of voters that `isSound`. */
export function surviveWith(
  configurations: readonly Configuration[],
  isSound: (voter: { readonly id: NodeId; readonly storeId: string }) => boolean,
): boolean {
  return configurations.every((configuration) => {
    const voters = votersOf(configuration);
    return voters.filter(isSound).length >= quorumOf(voters.length);
  });
}

/** The configuration, and every one that is left when some or all of those have left; one voter always stays. */
export function withoutAnyOf(configuration: Configuration, isLeaving: (member: Member) => boolean): Configuration[] {
  let left: Configuration[] = [configuration];
  for (const leaving of configuration.members.filter(isLeaving)) {
    const without = left.map(({ members, ...rest }) => ({
      ...rest,
      members: members.filter((member) => member !== leaving),
    }));
    left = [...left, ...without.filter((smaller) => votersOf(smaller).length > 0)];
  }
  return left;
}

/** The configuration, and every one in which some or all of those learners have their vote. */
export function withVotesForAnyOf(
  configuration: Configuration,
  isRising: (member: Member) => boolean,
): Configuration[] {
  let risen: Configuration[] = [configuration];
  for (const rising of configuration.members.filter((member) => member.kind === "learner" && isRising(member))) {
    const voter: Member = { ...rising, kind: "voter" };
    const withVote = risen.map(({ members, ...rest }) => ({
      ...rest,
      members: members.map((member) => (member === rising ? voter : member)),
    }));
    risen = [...risen, ...withVote];
  }
  return risen;
}
