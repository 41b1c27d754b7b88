import type { Mutant } from "./mutant.js";

/** The classic bugs of src/raft. */
export const CORE_MUTANTS: readonly Mutant[] = [
  {
    bug: "1",
    name: "an entry of an old term is committed by counting (Figure 8)",
    patches: [{ file: "src/raft/leading.js", find: " || log.term(reached) !== state.term)", replace: ")" }],
  },
  {
    bug: "2",
    name: "term and vote in two writes",
    patches: [
      {
        file: "src/storage/disk-log-store.js",
        find: "this.#commit(operations, removed, { hardState, base, tail: last }, done);",
        replace: `const all = () => this.#commit(operations, removed, { hardState, base, tail: last }, done);
        if (hardState.term === before.term) all();
        else this.#commit([], [], { hardState: { term: hardState.term, votedFor: before.votedFor }, base: baseBefore, tail }, (failure) => failure === undefined ? all() : done(failure));`,
      },
    ],
  },
  {
    bug: "3",
    name: "the vote is forgotten on stepping down within a term",
    patches: [
      {
        file: "src/raft/role-changes.js",
        find: 'enter(state, { name: "follower", leader }, why);',
        replace:
          'if (role.name === "candidate") setHardState({ ...state, votedFor: undefined, pending: state.pending }, state.term, undefined), (state.votedFor = undefined);\n    enter(state, { name: "follower", leader }, why);',
      },
      {
        file: "src/raft/invariants.js",
        find: "state.term > before.term || before.votedFor === undefined || state.votedFor === before.votedFor",
        replace: "true",
      },
      {
        file: "src/storage/disk-log-store.js",
        find: "after.term > before.term || before.votedFor === undefined || after.votedFor === before.votedFor",
        replace: "true",
      },
    ],
  },
  {
    bug: "4",
    name: "a reply leaves before the hard state is durable",
    patches: [
      {
        file: "src/raft/state.js",
        find: "const queue = !isPendingWriteEmpty(state.pending) ? state.pending.after : state.inFlight?.after;",
        replace: "const queue = undefined;",
      },
    ],
  },
  {
    bug: "5",
    name: "the term is read after the write instead of before it",
    patches: [
      {
        file: "src/raft/core.js",
        find: "if (isStillTrue(state, message))\n                state.effects.send.push(message);",
        replace: "state.effects.send.push({ ...message, term: state.term });",
      },
    ],
  },
  {
    bug: "6",
    name: "a heartbeat acknowledges the follower's own divergent tail",
    patches: [
      {
        file: "src/raft/following.js",
        find: "const verifiedIndex = request.prevLogIndex + request.entries.length;",
        replace: "const verifiedIndex = log.lastIndex;",
      },
    ],
  },
  {
    bug: "7a",
    name: "a stale acknowledgement moves progress back",
    patches: [
      {
        file: "src/raft/progress.js",
        find: "if (matchIndex > this.matchIndex)\n            this.matchIndex = matchIndex;",
        replace: "this.matchIndex = matchIndex;",
      },
    ],
  },
  {
    bug: "7b",
    name: "a stale refusal moves progress back",
    patches: [
      {
        file: "src/raft/progress.js",
        find: 'if (rejectedIndex <= this.matchIndex || this.mode === "snapshot")\n            return false;\n        return this.mode === "replicate" ? rejectedIndex < this.nextIndex : rejectedIndex === this.nextIndex - 1;',
        replace: 'return this.mode !== "snapshot";',
      },
      {
        file: "src/raft/progress.js",
        find: "this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);",
        replace: "this.matchIndex = Math.min(this.matchIndex, nextIndex - 1);\n        this.nextIndex = nextIndex;",
      },
    ],
  },
  {
    bug: "8",
    name: "a delayed request with a matching prefix truncates newer entries",
    patches: [
      {
        file: "src/raft/following.js",
        find: "if (log.term(entry.index) === entry.term)\n                continue;",
        replace:
          "if (log.term(entry.index) === entry.term && entry.index <= state.commitIndex)\n                continue;",
      },
    ],
  },
  {
    bug: "9a",
    name: "a write is credited with entries that were truncated and appended anew meanwhile (ABA)",
    // Rare: a cut of the log must begin between an answer and the entries that follow it, on a node whose tail diverges.
    patches: [
      {
        file: "src/raft/following.js",
        find: "state.inFlight.lastIndex = Math.min(state.inFlight.lastIndex, from - 1);",
        replace: "state.inFlight.lastIndex += 0;",
      },
    ],
  },
  {
    bug: "9b",
    name: "a write is credited with entries that a snapshot has replaced meanwhile",
    patches: [
      {
        file: "src/raft/snapshots.js",
        find: "state.inFlight.lastIndex = Math.min(state.inFlight.lastIndex, state.durableIndex);",
        replace: "state.inFlight.lastIndex += 0;",
      },
    ],
  },
  {
    bug: "10",
    name: "the leader counts its own unsynced entries",
    patches: [
      {
        file: "src/raft/leading.js",
        find: "id === options.id ? state.durableIndex :",
        replace: "id === options.id ? log.lastIndex :",
      },
    ],
  },
  {
    bug: "11a",
    name: "a read needs no round of contact",
    patches: [{ file: "src/raft/leading.js", find: "round: leader.round + 1 }", replace: "round: 0 }" }],
  },
  {
    bug: "11b",
    name: "a read before the term's first entry has committed",
    patches: [
      {
        file: "src/raft/leading.js",
        find: "if (state.commitIndex < leader.openingIndex)\n        return;",
        replace: "",
      },
    ],
  },
  {
    bug: "15a",
    name: "a poll's refusal with a higher term teaches nothing: whoever is behind polls for ever",
    patches: [
      {
        file: "src/raft/core.js",
        find: "(isPollAnswer && (message.granted || message.term <= state.term))",
        replace: "isPollAnswer",
      },
    ],
  },
  {
    bug: "15b",
    name: "a node with a higher term is not told of: it never follows again",
    patches: [{ file: "src/raft/core.js", find: "this.#answerStale(message);", replace: "" }],
  },
  {
    bug: "16a",
    name: "a leader without a majority never steps down (no CheckQuorum)",
    patches: [
      { file: "src/raft/leading.js", find: "if (!hasQuorumContact(state, leader)) {", replace: "if (false) {" },
    ],
  },
  {
    bug: "16b",
    name: "no PreVote and no stickiness: whoever hears nothing deposes the leader",
    patches: [
      {
        file: "src/raft/election.js",
        find: "if (countPoll(state))\n        return;",
        replace: "return startElection(state, { leadershipTransfer: false });",
      },
      { file: "src/raft/core.js", find: "!message.leadershipTransfer && trustsItsLeader(state)", replace: "false" },
    ],
  },
  {
    bug: "impatient",
    name: "another election begins before the votes of the last one can be on disk",
    patches: [
      {
        file: "src/raft/election.js",
        find: "if (isHardStateDurable(state))\n        startPreVote(state);",
        replace: "if (true)\n        startPreVote(state);",
      },
      {
        file: "src/raft/election.js",
        find: "if (!isHardStateDurable(state))\n        return;\n    const candidateLast",
        replace: "const candidateLast",
      },
      {
        file: "src/raft/election.js",
        find: 'if (role.name === "candidate")\n        pollAgain(state, role);\n    else\n        becomePreCandidate(state);',
        replace: "becomePreCandidate(state);",
      },
    ],
  },
  {
    bug: "majority",
    name: "half of the voters are a majority",
    patches: [
      {
        file: "src/raft/quorum.js",
        find: "return Math.floor(voterCount / 2) + 1;",
        replace: "return Math.ceil(voterCount / 2);",
      },
    ],
  },
];
