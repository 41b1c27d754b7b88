import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../paths.mjs";
import { atLeast, CheckFailure, runTool } from "./outcome.mjs";

export const name = "deployment";
export const about =
  "docker-compose.yml and cluster/Dockerfile agree with the configuration contract and the repository";

export function run() {
  const prepared = spawnSync(process.execPath, [join(root, ".ci/prepare.mjs")], { cwd: root, encoding: "utf8" });
  if (prepared.status !== 0) throw new CheckFailure(prepared.stderr);
  const test = "dist/test/tooling/deployment.test.js";
  const { status, output } = runTool("tap/dist/esm/run.mjs", ["--reporter=tap", test]);
  if (status !== 0) throw new CheckFailure(output);
  return atLeast(Number(/^# \{ total: \d+, pass: (\d+)/m.exec(output)?.[1]), 10, "assertions");
}
