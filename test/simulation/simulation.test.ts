import t from "tap";
import { planRun } from "./engine/plan-run.js";
import { runPlan, runSeed } from "./run.js";

/** More of them, and the seeds of the day, run by `npm run simulate`. */
const SEEDS = 240;
const BUDGET_MS = 30_000;

t.test("a few hundred runs break nothing", { timeout: 110_000 }, async (t) => {
  const startedAt = performance.now();
  let runs = 0;
  let commands = 0;
  for (let seed = 1; seed <= SEEDS && performance.now() - startedAt < BUDGET_MS; seed++) {
    const { violation, figures, plan } = await runSeed(seed);
    runs++;
    commands += figures.effects;
    if (violation === undefined) continue;
    t.fail(`seed ${seed} (${plan.nodeCount} nodes): ${violation.checker}: ${violation.message}`);
    t.comment(`again: npm run simulate -- --seed ${seed} --trace`);
    return;
  }
  t.comment(`${runs} runs, ${commands} commands`);
  t.ok(runs > 0 && commands > runs * 20, "the runs did something");
});

t.test("the same seed is the same run, to the byte of its trace", async (t) => {
  for (const seed of [11, 12, 13]) {
    const one = await runSeed(seed, { isTraced: true });
    const other = await runSeed(seed, { isTraced: true });
    t.equal(one.trace?.digest, other.trace?.digest, `seed ${seed}`);
    t.ok((one.trace?.lines.length ?? 0) > 500, "and the trace tells of it");
  }
  const [one, other] = [await runSeed(11, { isTraced: true }), await runSeed(12, { isTraced: true })];
  t.not(one.trace?.digest, other.trace?.digest, "another seed is another run");
});

t.test("looking on changes nothing: traced or not, a run takes the same steps", async (t) => {
  const plan = planRun({ seed: 21 });
  const traced = await runPlan(plan, { isTraced: true });
  const untraced = await runPlan(plan, { isTraced: false });
  t.same(traced.figures, untraced.figures);
});
