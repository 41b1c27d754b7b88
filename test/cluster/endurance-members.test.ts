import t from "tap";
import { join } from "../../bench/endurance/join.js";
import { twoFailures } from "../../bench/endurance/two-failures.js";
import { endures } from "./endurance.js";

t.test("an empty node joins under load and ends with the very same state", (t) =>
  endures(t, join, { draws: 3000, seconds: 1, clients: 8 }),
);

t.test("two of five nodes are killed under load, and again two: no call fails", (t) =>
  endures(t, twoFailures, { count: 2, clients: 8 }),
);
