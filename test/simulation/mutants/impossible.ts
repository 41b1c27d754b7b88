import type { Impossible } from "./mutant.js";

/** Bugs that a rule excludes, and bugs that what stands today has no place for: these come with the parts that they need. */
export const IMPOSSIBLE: readonly Impossible[] = [
  {
    bug: "9",
    name: "a write is credited after truncation and re-append (ABA)",
    why: "no entry in flight can be truncated: a leader sends entries only after an answer of its term, an answer waits until the term is durable, and that write waits for the one in flight (the guard in following.ts stays, and test/scenarios tells its story)",
  },
  {
    bug: "closed session",
    name: "a command of a closed session acts",
    why: "a node's older commands are in the log before its next registration, or gone: forwards die with their stream, the leader's inbox keeps their order, and it is emptied when leadership ends. Only removing a member closes a session that still sends",
  },
  {
    bug: "12",
    name: "a membership change before an entry of the term has committed",
    why: "there is no membership change yet: the only configuration entry is the one that names the cluster",
  },
  {
    bug: "13",
    name: "configuration adopted at apply, or not rolled back",
    why: "every configuration names the same members until membership changes exist (RaftLog keeps them by index)",
  },
  {
    bug: "14",
    name: "a snapshot over a divergent longer log",
    why: "there is no snapshot yet: a log is never cut at its beginning",
  },
];
