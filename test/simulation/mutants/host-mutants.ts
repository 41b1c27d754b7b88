import type { Mutant } from "./mutant.js";

/** Bugs of the replica, the sessions, the stores and the domain. */
export const HOST_MUTANTS: readonly Mutant[] = [
  {
    bug: "17",
    name: "a checkpoint without its lastApplied",
    patches: [
      {
        file: "src/machine/replicated-state.js",
        find: "appliedIndex: applied.index,",
        replace: "appliedIndex: Math.max(0, applied.index - 1),",
      },
    ],
  },
  {
    bug: "18",
    name: "a call whose fate is unknown ends as certainly not executed",
    patches: [
      {
        file: "src/replica/proposals.js",
        find: 'pending.waiter.fail("OUTCOME_UNKNOWN", message);',
        replace: 'pending.waiter.fail("NOT_EXECUTED", "", 1000);',
      },
    ],
  },
  {
    bug: "19",
    name: "a forwarder repeats without its tag",
    patches: [
      {
        file: "src/replica/proposals.js",
        find: "for (const pending of this.#waiting.values())\n            this.#requeue(pending);",
        replace: "this.retagAll();",
      },
    ],
  },
  {
    bug: "20",
    name: "after a stall, timers are believed before input is read",
    patches: [
      {
        file: "src/replica/election-timer.js",
        find: "this.#timers.afterInput(() => this.#timers.afterInput(() => this.#believe(lateMs)));",
        replace: "this.#believe(0);",
      },
    ],
  },
  {
    bug: "duplicate",
    name: "now and then a series does not move on",
    patches: [
      {
        file: "src/sequence/series.js",
        find: "series.current = range.last;",
        replace: "series.current = draw.time % 97 === 0 ? range.first - step : range.last;",
      },
      {
        file: "src/sequence/series.js",
        find: 'invariant(range.first > series.guard, "a draw is above everything that the epoch drew before");',
        replace: "",
      },
    ],
  },
  {
    bug: "gap",
    name: "now and then a series passes over a number",
    patches: [
      {
        file: "src/sequence/series.js",
        find: "series.current = range.last;",
        replace: "series.current = draw.time % 97 === 0 ? range.last + step : range.last;",
      },
    ],
  },
  {
    bug: "overflow",
    name: "a batch may reach one number past the maximum",
    patches: [{ file: "src/sequence/apply-draw.js", find: "room < count", replace: "room < count - 1" }],
  },
  {
    bug: "last number",
    name: "a sequence keeps its last number to itself",
    patches: [{ file: "src/sequence/apply-draw.js", find: "room < count", replace: "room <= count" }],
  },
  {
    bug: "swap",
    name: "two waiters get each other's answers",
    patches: [
      {
        file: "src/replica/proposals.js",
        find: "const pending = this.#waiting.get(request);",
        replace: "const pending = this.#waiting.get(request + 1) ?? this.#waiting.get(request);",
      },
    ],
  },
  {
    bug: "stale read",
    name: "a linearizable read looks before this node has caught up",
    patches: [
      {
        file: "src/replica/reads.js",
        find: "const ready = this.#confirmed.filter((batch) => batch.readIndex <= appliedIndex);",
        replace: "const ready = this.#confirmed;",
      },
      {
        file: "src/replica/reads.js",
        find: "this.#confirmed = this.#confirmed.filter((batch) => batch.readIndex > appliedIndex);",
        replace: "this.#confirmed = [];",
      },
    ],
  },
  {
    bug: "lost acknowledgement",
    name: "a write counts when it begins",
    patches: [
      { file: "src/replica/core-io.js", find: "core.persisted(ticket, now);", replace: "" },
      {
        file: "src/replica/core-io.js",
        find: "this.#log.write(write.log,",
        replace: "core.persisted(write.ticket, startedAt);\n        this.#log.write(write.log,",
      },
    ],
  },
  {
    bug: "failed write",
    name: "a failed write counts as done",
    patches: [
      {
        file: "src/replica/core-io.js",
        find: "if (failure !== undefined)\n                this.#life.fail(failure);\n            else",
        replace: "",
      },
    ],
  },
  {
    bug: "sessions",
    name: "the session table is stored without its results",
    patches: [{ file: "src/machine/sessions.js", find: "requests: [...acted.keys()],", replace: "requests: []," }],
  },
  {
    bug: "past the log",
    name: "apply passes the node's own durable log",
    patches: [
      {
        file: "src/raft/core.js",
        find: "return Math.min(this.#state.commitIndex, this.#state.durableIndex);",
        replace: "return this.#state.commitIndex;",
      },
    ],
  },
  {
    bug: "undamaged",
    name: "a record's checksum is not looked at",
    patches: [
      {
        file: "src/storage/log-record.js",
        find: "if (crc32(record.subarray(AT.link)) !== checksum)",
        replace: "if (false)",
      },
    ],
  },
  {
    bug: "lost log",
    name: "a log that ends before the state's checkpoint is taken",
    patches: [
      { file: "src/replica/recovery.js", find: "if (term === applied.term)\n        return;", replace: "return;" },
    ],
  },
  {
    bug: "two keys",
    name: "a key is forgotten by whoever restarts",
    patches: [
      {
        file: "src/sequence/machine/sequence-tables.js",
        find: "this.#state.put(keyedDrawKey(scope), encodeMemo(memo, this.#writer));",
        replace: "(this.forgetful ??= new Map()).set(keyedDrawKey(scope), encodeMemo(memo, this.#writer));",
      },
      {
        file: "src/sequence/machine/sequence-tables.js",
        find: "const bytes = this.#state.get(keyedDrawKey(scope));",
        replace: "const bytes = this.forgetful?.get(keyedDrawKey(scope));",
      },
    ],
  },
];
