import t from "tap";
import { type DamageOutcome, type Harm, sampleDamage } from "./damaged-files.js";
import { type Test, temporaryDirectory } from "./fixtures.js";

/** A sample; `FOLIO_DAMAGE_SAMPLE` draws a larger one, and `FOLIO_DAMAGE_SEED` another. */
const COUNT = Number(process.env["FOLIO_DAMAGE_SAMPLE"] ?? 40);
const SEED = Number(process.env["FOLIO_DAMAGE_SEED"] ?? 1);

async function sample(t: Test, harm: Harm, count: number): Promise<readonly DamageOutcome[]> {
  const outcomes = await sampleDamage({ parent: await temporaryDirectory(t), seed: SEED, count, harm });
  const tally = new Map<string, number>();
  for (const { file, result } of outcomes) {
    const kind = `${file.replace(/^\d+/, "*").replace(/\d+$/, "*")} ${result}`;
    tally.set(kind, (tally.get(kind) ?? 0) + 1);
  }
  t.comment(
    `${harm}, seed ${SEED}: ${[...tally]
      .sort()
      .map((pair) => pair.join(" "))
      .join(", ")}`,
  );
  for (const outcome of outcomes) {
    if (outcome.result === "wrong") t.fail(`neither what was there nor a refusal: ${JSON.stringify(outcome)}`);
    if (outcome.result === "refused") t.match(outcome.says, /^[A-Z_]+: .*\.$/, "a refusal is a sentence");
  }
  return outcomes;
}

t.test(
  "a flipped bit in any file ends in the same content, a refusal, or the loss of the very last write",
  async (t) => {
    const outcomes = await sample(t, "flip", COUNT);
    for (const { result, lost, file } of outcomes) {
      if (result !== "shortened") continue;
      t.match(file, /\.log$/, "only where a torn write would look the same");
      t.equal(lost, 1, "and only that one write");
    }
    t.ok(outcomes.some(({ result }) => result === "refused"));
  },
);

t.test(
  "a file that is cut short anywhere ends in a refusal, or in what the store held at an earlier write",
  async (t) => {
    const outcomes = await sample(t, "truncate", Math.ceil(COUNT / 2));
    for (const { result, file } of outcomes) {
      if (result === "shortened")
        t.match(file, /\.log$/, "LevelDB's write-ahead log just ends: the replica's witnesses judge it");
    }
  },
);

t.test("a file that is gone ends in a refusal, unless it is one that nothing is lost with", async (t) => {
  const outcomes = await sample(t, "remove", Math.ceil(COUNT / 3));
  for (const { result, file } of outcomes) {
    if (result === "same") t.match(file, /^LO(CK|G)/, "LevelDB's lock and its own diary");
    else t.equal(result, "refused", file);
  }
});
