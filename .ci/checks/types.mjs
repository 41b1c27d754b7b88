import { typescriptSources } from "../paths.mjs";
import { atLeast, CheckFailure, runTool } from "./outcome.mjs";

export const name = "types";
export const about = "the whole tree compiles under the strict settings of tsconfig.json";

export function run() {
  const parameters = ["-p", ".", "--noEmit", "--incremental", "false", "--tsBuildInfoFile", "null", "--listFilesOnly"];
  const listed = runTool("@typescript/native/bin/tsc", parameters).stdout.split("\n");
  const seen = listed.filter((path) => path.endsWith(".ts") && !path.includes("node_modules")).length;
  const { status, output } = runTool("@typescript/native/bin/tsc", parameters.slice(0, -1));
  if (status !== 0) throw new CheckFailure(output);
  return atLeast(seen, typescriptSources().length, "files");
}
