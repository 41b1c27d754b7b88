import type { Impossible } from "./mutant.js";

/** Bugs that a rule excludes, and bugs that what stands today has no place for: these come with the parts that they need. */
export const IMPOSSIBLE: readonly Impossible[] = [
  {
    bug: "9",
    name: "a write is credited after truncation and re-append (ABA)",
    why: "no entry in flight can be truncated: a leader sends entries only after an answer of its term, an answer waits until the term is durable, and that write waits for the one in flight (the guard in following.ts stays, and test/scenarios tells its story)",
  },
];
