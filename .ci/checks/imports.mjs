import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, sourceFolders, typescriptSources } from "../paths.mjs";
import { atLeast, CheckFailure, runTool, withSeededCopy } from "./outcome.mjs";

export const name = "imports";
export const about = "who may import whom (.dependency-cruiser.cjs), and every rule catches a seeded violation";

/** One violation per rule: a file that does not exist yet, and what it imports. */
const seeds = [
  ["raft-is-pure", "src/raft/seeded.ts", "../storage/log-store.js"],
  ["raft-is-pure", "src/raft/seeded-clock.ts", "node:timers/promises"],
  ["sequence-is-pure", "src/sequence/seeded.ts", "../machine/machine.js"],
  ["sequence-is-pure", "src/sequence/seeded-adapter.ts", "./machine/seeded.js"],
  ["sequence-adapter", "src/sequence/machine/seeded.ts", "../../replica/ports.js"],
  ["machine-sees-no-adapter", "src/machine/seeded.ts", "../storage/level-seeded.js"],
  ["storage-sees-core-types", "src/storage/level-seeded.ts", "../replica/ports.js"],
  ["transport-sees-core-types", "src/transport/seeded.ts", "../replica/ports.js"],
  ["replica-sees-ports", "src/replica/seeded.ts", "../storage/level-seeded.js"],
  ["replica-sees-ports", "src/replica/seeded-clock.ts", "node:timers"],
  ["recovery-sees-ports", "src/recovery/seeded.ts", "../storage/level-seeded.js"],
  ["recovery-sees-ports", "src/recovery/seeded-file.ts", "node:fs"],
  ["api-sees-one-interface", "src/api/seeded.ts", "../raft/types.js"],
  ["api-sees-one-interface", "src/api/rest/seeded.ts", "../../replica/ports.js"],
  ["access-and-telemetry-stand-alone", "src/telemetry/seeded.ts", "../storage/level-seeded.js"],
  ["client-stands-alone", "src/client/seeded.ts", "../failure.js"],
  ["only-the-root-composes", "src/access/seeded.ts", "../config.js"],
  ["nothing-imports-tests", "src/seeded.ts", "../test/seeded.js"],
  ["cluster-is-no-benchmark", "cluster/seeded.ts", "../bench/seeded.js"],
  ["no-cycles", "bench/seeded.ts", "../test/seeded.js"],
  ["no-development-dependencies-at-run-time", "src/cli/seeded.ts", "tap"],
  ["only-declared-packages", "test/seeded-package.ts", "ajv"],
  ["nothing-unresolvable", "test/seeded-absent.ts", "./absent.js"],
];

function cruise(folder) {
  const parameters = [...sourceFolders, "--config", ".dependency-cruiser.cjs", "--output-type", "json"];
  const { stdout, output } = runTool("dependency-cruiser/bin/dependency-cruise.mjs", parameters, { cwd: folder });
  try {
    return JSON.parse(stdout);
  } catch (error) {
    throw new CheckFailure(`dependency-cruiser did not answer: ${output.slice(0, 2000)}`, { cause: error });
  }
}

function describeViolation({ rule, from, to, cycle }) {
  const way = cycle === undefined ? to : cycle.map((step) => step.name).join(" → ");
  return `${rule.name}: ${from} → ${way}`;
}

function seed(folder) {
  // A cycle needs a second half; it is reported once only.
  writeFileSync(join(folder, "test/seeded.ts"), 'import "../bench/seeded.js";\n');
  for (const [, path, target] of seeds) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `import ${JSON.stringify(target)};\n`);
  }
}

/** A rule with a mistyped path forbids nothing: each one must catch the violation made for it. */
function uncaught() {
  return withSeededCopy((folder) => {
    seed(folder);
    const caught = new Set(cruise(folder).summary.violations.map(({ rule, from }) => `${rule.name} ${from}`));
    return seeds.filter(([rule, path]) => !caught.has(`${rule} ${path}`));
  });
}

export function run() {
  const { summary, modules } = cruise(root);
  if (summary.violations.length > 0) throw new CheckFailure(summary.violations.map(describeViolation).join("\n"));
  const seen = modules.filter(({ source }) => source.endsWith(".ts") && !source.startsWith("node_modules/")).length;
  const looked = atLeast(seen, typescriptSources().length, "modules");
  const missed = uncaught();
  if (missed.length > 0) {
    throw new CheckFailure(missed.map(([rule, path, to]) => `${rule} did not catch ${path} → ${to}`).join("\n"));
  }
  const rules = readFileSync(join(root, ".dependency-cruiser.cjs"), "utf8").match(/^ {6}name: "|only\(\s*"/gm) ?? [];
  const proved = new Set(seeds.map(([rule]) => rule)).size;
  if (proved < rules.length)
    throw new CheckFailure(`${rules.length} rules, but only ${proved} have a seeded violation.`);
  return `${looked}, ${proved} rules proved by ${seeds.length} seeded violations`;
}
