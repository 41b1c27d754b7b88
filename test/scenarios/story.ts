import t from "tap";
import type { Read } from "../raft/core-cluster.js";
import { LIFE_SENTENCES } from "./life-sentences.js";
import { logText } from "./setup.js";
import { equal, numbers, Stage, type Step } from "./stage.js";
import { wording } from "./wording.js";

function outcomeOf(read: Read | undefined): string {
  if (read === undefined) return "not asked";
  return typeof read.outcome === "number" ? `ready at ${read.outcome}` : read.outcome;
}

/** A line that fits no sentence is an error of the story. */
const SENTENCES: readonly (readonly [RegExp, Step])[] = [
  [/^(\d) times out$/, (stage, [, id]) => stage.cluster.timeOut(stage.node(id))],
  [/^(\d) looks at the clock$/, (stage, [, id]) => stage.cluster.tick(stage.node(id))],
  [/^(\d) was stalled itself$/, (stage, [, id]) => stage.node(id).core.resume(stage.cluster.now)],
  [
    /^(\d+) ms pass$/,
    (stage, [, ms]) => {
      stage.cluster.now += Number(ms);
    },
  ],
  [/^run (\d+) ms$/, (stage, [, ms]) => stage.run(Number(ms), stage.everybody)],
  [/^run (\d+) ms among ([\d ]+)$/, (stage, [, ms, ids]) => stage.run(Number(ms), numbers(ids))],
  [/^deliver everything$/, (stage) => stage.settle(stage.everybody)],
  [/^deliver among ([\d ]+)$/, (stage, [, ids]) => stage.settle(numbers(ids))],
  [
    /^deliver (\d) -> ([\d ]+)$/,
    (stage, [, from, ids]) => {
      for (const to of numbers(ids))
        for (const message of stage.cluster.take(Number(from), to)) stage.cluster.deliver(message);
    },
  ],
  [
    /^deliver one (\d) -> (\d)$/,
    (stage, [, from, to]) => {
      const [first, ...rest] = stage.cluster.take(Number(from), Number(to));
      stage.cluster.mail.push(...rest);
      if (first === undefined) throw new Error("nothing is under way there");
      stage.cluster.deliver(first);
    },
  ],
  [
    /^connected: (.+)$/,
    (stage, [, links = ""]) => {
      stage.links = links === "all" ? undefined : new Set(links.split(" "));
    },
  ],
  [
    /^deliver (\w+)$/,
    (stage, [, name = ""]) => {
      const kept = stage.kept.get(name);
      if (kept === undefined) throw new Error(`nothing was kept as ${name}`);
      for (const message of kept) stage.cluster.deliver(message);
    },
  ],
  [
    /^keep (\d) -> (\d) as (\w+)$/,
    (stage, [, from, to, name = ""]) => {
      const taken = stage.cluster.take(Number(from), Number(to));
      if (taken.length === 0) throw new Error("nothing is under way there");
      stage.kept.set(name, taken);
    },
  ],
  [
    /^lose everything$/,
    (stage) => {
      stage.cluster.mail = [];
    },
  ],
  [
    /^lose (\d) -> ([\d ]+)$/,
    (stage, [, from, ids]) => {
      for (const to of numbers(ids)) stage.cluster.take(Number(from), to);
    },
  ],
  [
    /^disk of (\d) is stuck$/,
    (stage, [, id]) => {
      stage.stuck.add(Number(id));
    },
  ],
  [
    /^disk of (\d) writes$/,
    (stage, [, id]) => {
      stage.stuck.delete(Number(id));
      if (stage.node(id).write === undefined) throw new Error("no write is in flight there");
      stage.cluster.completeWrite(stage.node(id));
    },
  ],
  [
    /^(\d) proposes (\w+)$/,
    (stage, [, id, text = ""]) => equal(stage.cluster.propose(stage.node(id), text), true, "taken"),
  ],
  [/^(\d) may not propose$/, (stage, [, id]) => equal(stage.cluster.propose(stage.node(id), "no"), false, "taken")],
  [
    /^(\d) reads (\w+)$/,
    (stage, [, id, name = ""]) => {
      stage.reads.set(name, stage.cluster.read(stage.node(id)));
    },
  ],
  [
    /^(\d) hands over to (\d)$/,
    (stage, [, id, to]) => equal(stage.cluster.transfer(stage.node(id), Number(to)), true, "begun"),
  ],
  [/^(\d) crashes$/, (stage, [, id]) => stage.cluster.crash(stage.node(id), "lost")],
  [/^(\d) crashes, its write done$/, (stage, [, id]) => stage.cluster.crash(stage.node(id), "durable")],
  [/^(\d) restarts$/, (stage, [, id]) => stage.cluster.start(stage.node(id))],

  [
    /^expect (\d) is (follower|preCandidate|candidate|leader)$/,
    (stage, [, id, role]) => equal(stage.node(id).core.roleName, role, `role of ${id}`),
  ],
  [
    /^expect (\d) leads term (\d+)$/,
    (stage, [, id, term]) => {
      equal(stage.node(id).core.roleName, "leader", `role of ${id}`);
      equal(stage.node(id).core.term, Number(term), `term of ${id}`);
    },
  ],
  [
    /^expect (\d) follows (\d|nobody)$/,
    (stage, [, id, leader]) => equal(String(stage.node(id).core.leader ?? "nobody"), leader, `leader of ${id}`),
  ],
  [/^expect nobody leads$/, (stage) => equal(stage.cluster.leader, undefined, "the leader")],
  [
    /^expect term of (\d) is (\d+)$/,
    (stage, [, id, term]) => equal(stage.node(id).core.term, Number(term), `term of ${id}`),
  ],
  [
    /^expect (\d) voted for (\d|nobody)$/,
    (stage, [, id, vote]) => equal(String(stage.node(id).core.state.votedFor ?? "nobody"), vote, `vote of ${id}`),
  ],
  [
    /^expect disk of (\d) holds term (\d+) and vote for (\d|nobody)$/,
    (stage, [, id, term, vote]) => {
      const { hardState } = stage.node(id).disk;
      equal(hardState.term, Number(term), `term on disk of ${id}`);
      equal(String(hardState.votedFor ?? "nobody"), vote, `vote on disk of ${id}`);
    },
  ],
  [
    /^expect log of (\d) is ([\d ]*|\[[\d/]+\][\d ]*)$/,
    (stage, [, id, terms]) => equal(logText(stage.node(id).log), terms, `log of ${id}`),
  ],
  [
    /^expect disk of (\d) is ([\d ]*|\[[\d/]+\][\d ]*|empty)$/,
    (stage, [, id, terms]) => equal(logText(stage.node(id).disk) || "empty", terms, `disk of ${id}`),
  ],
  [
    /^expect commit of (\d) is (\d+)$/,
    (stage, [, id, index]) => equal(stage.node(id).core.commitIndex, Number(index), `commitIndex of ${id}`),
  ],
  [
    /^expect durable of (\d) is (\d+)$/,
    (stage, [, id, index]) => equal(stage.node(id).core.durableIndex, Number(index), `durableIndex of ${id}`),
  ],
  [
    /^expect (\d) may apply up to (\d+)$/,
    (stage, [, id, index]) => equal(stage.node(id).core.applicableIndex, Number(index), `applicableIndex of ${id}`),
  ],
  [
    /^expect (\d) knows (\d) at (\d+)$/,
    (stage, [, id, peer, index]) =>
      equal(stage.node(id).core.matchIndexOf(Number(peer)), Number(index), `matchIndex of ${peer} at ${id}`),
  ],
  [
    /^expect cluster of (\d) is (.+)$/,
    (stage, [, id, name]) =>
      equal(stage.node(id).core.configuration.clusterId || "unfounded", name, `cluster of ${id}`),
  ],
  [
    /^expect read (\w+) is (.+)$/,
    (stage, [, name = "", outcome]) => equal(outcomeOf(stage.reads.get(name)), outcome, `read ${name}`),
  ],
  [
    /^expect (\d) -> (\d): (.+)$/,
    (stage, [, from, to, text]) => {
      const under = stage.cluster.mail.filter((message) => message.from === Number(from) && message.to === Number(to));
      equal(under.map(wording).join(" | ") || "nothing", text, `under way from ${from} to ${to}`);
    },
  ],
];

/**
 * Plays a story and checks the whole cluster after every step (test/raft/cluster-checks.ts). Lines
 * that begin with # are prose; every other line is one of the sentences above, of life-sentences.ts or of setup.ts.
 */
export function story(name: string, text: string): void {
  t.test(name, (t) => {
    const stage = new Stage();
    let prose = "";
    let expectations = 0;
    for (const [place, raw] of text.split("\n").entries()) {
      const line = raw.trim();
      if (line.startsWith("#")) prose = line.slice(1).trim();
      if (line === "" || line.startsWith("#") || stage.setUp(line)) continue;
      try {
        play(stage, line);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        t.fail(`line ${place + 1} "${line}" (${prose}): ${error.message}`);
        t.end();
        return;
      }
      if (line.startsWith("expect")) expectations++;
    }
    t.ok(expectations > 0, `${expectations} expectations hold`);
    t.end();
  });
}

function play(stage: Stage, line: string): void {
  for (const [sentence, step] of [...SENTENCES, ...LIFE_SENTENCES]) {
    const words = line.match(sentence);
    if (words === null) continue;
    step(stage, words);
    return;
  }
  throw new Error("no sentence reads like this");
}
