import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import t from "tap";
import { seeded } from "../../bench/chaos/faults.js";
import { parseChaosOptions } from "../../bench/chaos/options.js";
import { UsageError } from "../../bench/options.js";

const MAIN = fileURLToPath(new URL("../../bench/chaos/main.js", import.meta.url));

for (const [what, faults] of [
  ["processes", "kill,stop,term,kill-all"],
  ["links", "cut,hold,one-way,slow"],
] as const) {
  t.test(`a short run in which ${what} fail ends well and says so`, (t) => {
    const options = ["--seconds", "10", "--seed", "20", "--clients", "12", "--faults", faults];
    execFile(process.execPath, [MAIN, ...options], (error, stdout, stderr) => {
      t.equal(error, null, stderr);
      t.match(stdout, /^seed 20, commit [0-9a-f]+, 3 nodes, 12 clients, 10 s\n/);
      t.match(stdout, new RegExp(`\n(${faults.replaceAll(",", "|")}) of (calls to )?node \\d`), "something failed");
      t.match(stdout, /\nevery history is linearizable, and all nodes agree\n$/);
      t.end();
    });
  });
}

t.test("what does not make sense is refused in a sentence", (t) => {
  t.throws(() => parseChaosOptions(["--nodes", "4"]), new UsageError('--nodes takes 3 or 5, not "4"'));
  t.throws(
    () => parseChaosOptions(["--faults", "kill,fire"]),
    /--faults takes kill, stop, term, kill-all, cut, hold, one-way, slow, not "fire"/,
  );
  t.throws(() => parseChaosOptions(["--seconds", "0"]), UsageError);
  t.equal(parseChaosOptions(["--help"]), undefined);
  t.match(parseChaosOptions(["--seed", "9"]), { seed: 9, nodes: 3, seconds: 30, clients: 24 });
  t.end();
});

t.test("a seed decides the faults", (t) => {
  const one = seeded(5);
  const other = seeded(5);
  const numbers = Array.from({ length: 100 }, one);
  t.same(numbers, Array.from({ length: 100 }, other));
  t.ok(numbers.every((number) => number >= 0 && number < 1));
  t.end();
});
