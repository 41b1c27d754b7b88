import { typescriptSources } from "../paths.mjs";
import { atLeast, CheckFailure, runTool } from "./outcome.mjs";

export const name = "lint";
export const about = "format and lint rules of biome.json; `npm run lint -- --fix` repairs what is safe to repair";

/** @param fix rewrite files instead of only judging them */
export function run({ fix = false } = {}) {
  const parameters = [
    "check",
    "--error-on-warnings",
    "--max-diagnostics=100",
    "--colors=off",
    ...(fix ? ["--write"] : []),
  ];
  const { status, output } = runTool("@biomejs/biome/bin/biome", parameters);
  if (status !== 0) throw new CheckFailure(output);
  const least = typescriptSources().filter((path) => !path.startsWith("src/generated/")).length;
  return atLeast(Number(/Checked (\d+) files?/.exec(output)?.[1]), least, "files");
}
