import t from "tap";
import { flips } from "../../bench/endurance/flips.js";
import { endures } from "./endurance.js";

t.test("a node on damaged files refuses clearly, or everything is as it was", (t) =>
  endures(t, flips, { count: 14, seed: 7 }),
);
