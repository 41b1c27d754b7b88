import type { MemberChange } from "../../src/raft/types.js";
import { memberOf } from "../raft/core-cluster.js";
import { equal, numbers, type Stage, type Step } from "./stage.js";

function changeOf(stage: Stage, verb: string | undefined, id: string | undefined): MemberChange {
  const member = Number(id);
  switch (verb) {
    case "add": {
      const { address } = memberOf(member, "learner");
      return { kind: "addLearner", member: { id: member, address, storeId: stage.node(id).storeId } };
    }
    case "promote":
      return { kind: "promote", id: member };
    case "remove":
      return { kind: "remove", id: member };
    default:
      return { kind: "readdress", id: member, address: `moved-${member}:7070` };
  }
}

function answerTo(stage: Stage, leader: string | undefined, change: MemberChange): string {
  const answer = stage.cluster.change(stage.node(leader), change);
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

/** Sentences about the life of a cluster: members that come and go, logs that are cut, snapshots. */
export const LIFE_SENTENCES: readonly (readonly [RegExp, Step])[] = [
  [
    /^(\d) (add|promote|remove|readdresse)s (\d)$/,
    (stage, [, leader, verb, id]) =>
      equal(answerTo(stage, leader, changeOf(stage, verb, id)), "appended", "the answer"),
  ],
  [
    /^(\d) may not (add|promote|remove) (\d): (\w+)$/,
    (stage, [, leader, verb, id, reason]) =>
      equal(answerTo(stage, leader, changeOf(stage, verb, id)), reason, "the answer"),
  ],
  [
    /^(\d) may not hand over to (\d)$/,
    (stage, [, id, to]) => equal(stage.cluster.transfer(stage.node(id), Number(to)), false, "begun"),
  ],
  [
    /^(\d) (?:is wiped|comes back empty)$/,
    (stage, [, id]) => {
      const node = stage.node(id);
      if (node.isUp) stage.cluster.crash(node, "lost");
      node.wipe();
      stage.cluster.start(node);
    },
  ],
  [
    /^(\d) compacts to (\d+)$/,
    (stage, [, id, index]) => {
      stage.node(id).checkpoint();
      stage.cluster.compact(stage.node(id), Number(index));
      equal(stage.node(id).core.baseIndex, Number(index), `base of ${id}`);
    },
  ],
  [
    /^(\d) begins to fetch$/,
    (stage, [, id]) => equal(stage.cluster.beginFetch(stage.node(id)), true, "the sender has what is wanted"),
  ],
  [/^(\d) installs$/, (stage, [, id]) => equal(stage.cluster.endFetch(stage.node(id)), true, "installed")],
  [/^(\d) installs in vain$/, (stage, [, id]) => equal(stage.cluster.endFetch(stage.node(id)), false, "installed")],

  [
    /^expect (\d) wants a snapshot from (\d) to (\d+)$/,
    (stage, [, id, from, least]) => {
      const { fetch } = stage.node(id);
      equal(`${fetch?.from} to ${fetch?.least}`, `${from} to ${least}`, "what is fetched");
    },
  ],
  [/^expect (\d) wants no snapshot$/, (stage, [, id]) => equal(stage.node(id).fetch, undefined, "what is fetched")],
  [
    /^expect members of (\d) are ([\dvl ]+)$/,
    (stage, [, id, members]) => {
      const found = stage.node(id).core.configuration.members.map((member) => `${member.id}${member.kind[0]}`);
      equal(found.join(" "), members, `members at ${id}`);
    },
  ],
  [
    /^expect (\d) replicates to ([\d ]+|nobody)$/,
    (stage, [, id, peers = ""]) => {
      equal(stage.node(id).core.peers.join(" "), numbers(peers === "nobody" ? "" : peers).join(" "), `peers of ${id}`);
    },
  ],
  [
    /^expect (\d) serves (\d) by (probe|replicate|snapshot)$/,
    (stage, [, id, peer, mode]) => {
      const { role } = stage.node(id).core.state;
      equal(role.name === "leader" ? role.progress.get(Number(peer))?.mode : "nothing", mode, `mode of ${peer}`);
    },
  ],
  [
    /^expect (\d) has applied (\d+)$/,
    (stage, [, id, index]) => equal(stage.node(id).appliedIndex, Number(index), `applied by ${id}`),
  ],
];
