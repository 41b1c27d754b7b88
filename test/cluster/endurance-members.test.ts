import t from "tap";
import { growth } from "../../bench/endurance/growth.js";
import { join } from "../../bench/endurance/join.js";
import { twoFailures } from "../../bench/endurance/two-failures.js";
import { endures } from "./endurance.js";

t.test("an empty node joins under load and ends with the very same state", (t) =>
  endures(t, join, { draws: 3000, seconds: 1, clients: 8 }),
);

t.test("three nodes become five and three again under load, the leader's seat taken away while it leads", (t) =>
  endures(t, growth, { rounds: 1, clients: 8 }),
);

t.test("two of five nodes are killed under load, and again two: no call fails", (t) =>
  endures(t, twoFailures, { count: 2, clients: 8 }),
);
