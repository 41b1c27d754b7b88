import type { Impossible } from "./mutant.js";

/** Bugs that what stands today has no place for. They come with the parts that they need. */
export const IMPOSSIBLE: readonly Impossible[] = [
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
