import { join } from "node:path";
import { filesUnder, root } from "../paths.mjs";
import { atLeast, CheckFailure, runTool } from "./outcome.mjs";

export const name = "protocols";
export const about = "proto/ follows buf's standard rules, save where callers that exist decided otherwise";

export function run() {
  const { status, output } = runTool("@bufbuild/buf/bin/buf", ["lint"]);
  if (status !== 0) throw new CheckFailure(output);
  const listed = runTool("@bufbuild/buf/bin/buf", ["ls-files"])
    .stdout.split("\n")
    .filter((path) => path.endsWith(".proto"));
  const least = filesUnder(join(root, "proto")).filter((path) => path.endsWith(".proto")).length;
  return atLeast(listed.length, Math.max(1, least), "protocols");
}
