import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root, typescriptSources } from "../paths.mjs";
import { atLeast, CheckFailure, runTool, withSeededCopy } from "./outcome.mjs";

export const name = "dead-code";
export const about = "no file, export or dependency that nothing uses (knip.json), and a seeded dead file is found";

function knip(folder) {
  const parameters = ["--no-progress", "--reporter", "./.ci/checks/knip-counts.mjs"];
  const { stdout, output } = runTool("knip/bin/knip.js", parameters, { cwd: folder });
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1));
  } catch (error) {
    throw new CheckFailure(`knip did not answer: ${output.slice(0, 2000)}`, { cause: error });
  }
}

export function run() {
  const { found, processed, hints } = knip(root);
  if (found.length + hints.length > 0) {
    const lines = found.map(({ type, path, symbol }) => `${type}: ${relative(root, path)} ${symbol}`.trim());
    throw new CheckFailure([...lines, ...hints].join("\n"));
  }
  const looked = atLeast(processed, typescriptSources().length, "files");
  withSeededCopy((folder) => {
    writeFileSync(join(folder, "src/seeded.ts"), "export const unused = 1;\n");
    const seeded = knip(folder).found;
    if (seeded.some(({ path }) => path.endsWith("src/seeded.ts"))) return;
    throw new CheckFailure("knip did not find a seeded file that nothing imports: the check is not working.");
  });
  return `${looked}, a seeded dead file was found`;
}
