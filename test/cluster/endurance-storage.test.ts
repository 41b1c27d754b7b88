import t from "tap";
import { backup } from "../../bench/endurance/backup.js";
import { bounded } from "../../bench/endurance/bounded.js";
import { endures } from "./endurance.js";

t.test("the log and the memory of nodes stay bounded while numbers are drawn", (t) =>
  endures(t, bounded, { seconds: 8, count: 100 }),
);

t.test("a backup taken under load goes on elsewhere without a repeated number", (t) =>
  endures(t, backup, { draws: 500, clients: 8 }),
);
