import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { MUTANTS } from "./mutants/catalogue.js";
import { hunt } from "./mutants/hunt.js";
import { replacedOnce } from "./mutants/mirror.js";

const COMPILED = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** The whole table is `npm run simulate -- --mutants`. */
const QUICK = ["4", "10", "18", "19", "duplicate", "swap", "past the log"];

t.test("every mutant still fits the source it was made for", async (t) => {
  for (const { name, patches } of MUTANTS) {
    for (const { file, find, replace } of patches) {
      const text = readFileSync(join(COMPILED, file), "utf8");
      t.doesNotThrow(() => replacedOnce(text, { find, replace, where: `${name}, ${file}` }), `${name}: ${file}`);
    }
  }
});

t.test("bugs planted in a copy are noticed", { timeout: 110_000 }, async (t) => {
  for (const bug of QUICK) {
    const mutant = MUTANTS.find((candidate) => candidate.bug === bug);
    if (mutant === undefined) throw new Error(`there is no mutant ${bug}`);
    const { caught } = await hunt(mutant, 20);
    t.ok(caught !== undefined, `${bug}: ${mutant.name}`);
    t.comment(`by ${caught?.checker}, seed ${caught?.seed}: ${caught?.message}`);
  }
});
