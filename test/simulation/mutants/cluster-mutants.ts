import type { Mutant } from "./mutant.js";

/** Bugs of changes of membership, snapshots and compaction. */
export const CLUSTER_MUTANTS: readonly Mutant[] = [
  {
    bug: "12",
    name: "a membership change before an entry of the term has committed",
    patches: [
      {
        file: "src/raft/membership.js",
        find: 'if (state.commitIndex < role.openingIndex)\n        return refused("termNotOpen");',
        replace: "",
      },
    ],
  },
  {
    bug: "12b",
    name: "a membership change while another has not committed",
    patches: [
      {
        file: "src/raft/membership.js",
        find: 'if (role.changeIndex !== undefined)\n        return refused("changeUnderway");',
        replace: "",
      },
    ],
  },
  {
    bug: "13a",
    name: "a configuration counts once it has committed, and not as soon as it is in the log",
    patches: [
      {
        file: "src/raft/leading.js",
        find: "const matches = log.voters.map((id)",
        replace:
          'const matches = log.configurationAt(state.commitIndex).members.filter(({ kind }) => kind === "voter").map(({ id }) => id).map((id)',
      },
      {
        file: "src/raft/election.js",
        find: "tally(state.log.voters, votes)",
        replace:
          'tally(state.log.configurationAt(state.commitIndex).members.filter(({ kind }) => kind === "voter").map(({ id }) => id), votes)',
      },
    ],
  },
  {
    bug: "13b",
    name: "a configuration is not rolled back when its entry is truncated",
    patches: [{ file: "src/raft/log.js", find: "while (this.#newest.index >= index) {", replace: "while (false) {" }],
  },
  {
    bug: "14",
    name: "a snapshot over a divergent log leaves what lies behind it",
    patches: [
      {
        file: "src/raft/snapshots.js",
        find: "const keepsTail = state.log.term(position.index) === position.term;",
        replace: "const keepsTail = state.log.lastIndex >= position.index;",
      },
    ],
  },
  {
    bug: "17a",
    name: "a snapshot is put in force without its session table",
    patches: [
      {
        file: "src/machine/replicated-state.js",
        find: "this.#recalled = undefined;\n        for (const machine of this.#machines.values())\n            machine.reload();",
        replace:
          "this.#recalled = undefined;\n        this.#sessions = new SessionTable([]);\n        for (const machine of this.#machines.values())\n            machine.reload();",
      },
    ],
  },
  {
    bug: "17b",
    name: "a snapshot comes without the rows of idempotency keys",
    patches: [
      {
        file: "src/storage/disk-state-builder.js",
        find: "for (const { key, value } of rows) {",
        replace: 'for (const { key, value } of rows.filter((row) => !row.key.startsWith("m1/k/"))) {',
      },
    ],
  },
  {
    bug: "17c",
    name: "a snapshot is put in force without its lastApplied",
    patches: [
      {
        file: "src/machine/replicated-state.js",
        find: "this.#recalled = undefined;\n        for (const machine of this.#machines.values())\n            machine.reload();",
        replace:
          "this.#recalled = undefined;\n        this.#header.applied = { ...this.#header.applied, index: this.#header.applied.index - 1 };\n        for (const machine of this.#machines.values())\n            machine.reload();",
      },
      {
        file: "src/replica/snapshot-install.js",
        find: 'invariant(index === position.index && term === position.term, "a snapshot holds the state that its header names");',
        replace: "",
      },
    ],
  },
  {
    bug: "17d",
    name: "what machines had in memory stays when a snapshot is put in force",
    patches: [
      {
        file: "src/machine/replicated-state.js",
        find: "for (const machine of this.#machines.values())\n            machine.reload();",
        replace: "",
      },
    ],
  },
  {
    bug: "learners",
    name: "learners count",
    patches: [
      {
        file: "src/raft/quorum.js",
        find: 'configuration.members.filter((member) => member.kind === "voter").map',
        replace: "configuration.members.map",
      },
    ],
  },
  {
    bug: "removed leader",
    name: "a leader counts itself though it was removed",
    patches: [
      {
        file: "src/raft/leading.js",
        find: "const reached = majorityReached(matches);",
        replace:
          "if (!log.voters.includes(options.id))\n        matches.push(state.durableIndex, state.durableIndex);\n    const reached = majorityReached(matches);",
      },
    ],
  },
  {
    bug: "wiped voter",
    name: "whoever runs under a member's id counts, a wiped node as well",
    patches: [
      {
        file: "src/replica/seats.js",
        find: "if (naming !== undefined && holdsSeat(naming, this.#self))",
        replace: "if (naming !== undefined)",
      },
      {
        file: "src/replica/seats.js",
        find: 'if (holdsSeat(configuration, this.#self))\n            return { kind: "seated", configuration };\n        if (!isDisplaced',
        replace:
          'if (configuration.members.some(({ id }) => id === this.#self.nodeId))\n            return { kind: "seated", configuration };\n        if (!isDisplaced',
      },
      {
        file: "src/replica/seats.js",
        find: "if (holdsSeat(this.#configuration, hello))\n            return true;",
        replace: "if (this.#configuration.members.some(({ id }) => id === peer))\n            return true;",
      },
      {
        file: "src/replica/seats.js",
        find: "return hello === undefined || !isDisplaced(this.#configuration, hello);",
        replace: "return true;",
      },
    ],
  },
  {
    bug: "closed session",
    name: "a session stays open when its store is no member any more",
    patches: [
      {
        file: "src/machine/replicated-state.js",
        find: "this.#sessions.closeStrangers(configuration.members);",
        replace: "",
      },
    ],
  },
  {
    bug: "replay",
    name: "a node that joins replays the log from before its joining",
    patches: [
      {
        file: "src/raft/leading.js",
        find: "progress.nextIndex <= log.base.index || progress.nextIndex <= progress.joinedIndex",
        replace: "progress.nextIndex <= log.base.index",
      },
    ],
  },
  {
    bug: "early cut",
    name: "the log is cut up to what is applied, durable in the state or not",
    patches: [
      {
        file: "src/replica/compaction.js",
        find: "cutIfDue(core, checkpointIndex, now) {",
        replace: "cutIfDue(core, checkpointIndex, now) {\n        checkpointIndex = core.applicableIndex;",
      },
    ],
  },
  {
    bug: "early adopt",
    name: "a built state is put in force before the log says so",
    patches: [
      {
        file: "src/replica/snapshot-install.js",
        find: "this.#awaited = { snapshot, done };",
        replace: "this.#adopt({ snapshot, done });",
      },
    ],
  },
  {
    bug: "old generation",
    name: "the log does not say that another state is in force",
    patches: [
      {
        file: "src/storage/disk-log-store.js",
        find: "const generation = stateGeneration ?? base.stateGeneration;",
        replace: "const generation = base.stateGeneration;",
      },
    ],
  },
  {
    bug: "half snapshot",
    name: "a snapshot that was cut off counts as whole",
    patches: [
      {
        file: "src/replica/snapshot-transfer.js",
        find: "if (failure !== undefined)\n            this.#fail(failure.message);\n        else if (!this.#decoder.isComplete || header === undefined)",
        replace: "if (header === undefined)",
      },
    ],
  },
];
