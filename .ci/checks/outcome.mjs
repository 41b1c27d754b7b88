import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../paths.mjs";

/** What a check throws when something is wrong; the text is for a reader. */
export class CheckFailure extends Error {}

/** Runs a program of a dependency with this Node. @returns its exit status and everything it printed */
export function runTool(script, parameters, options = {}) {
  const outcome = spawnSync(process.execPath, [join(root, "node_modules", script), ...parameters], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
  if (outcome.error !== undefined) throw outcome.error;
  return { status: outcome.status, stdout: outcome.stdout, output: `${outcome.stdout}${outcome.stderr}`.trim() };
}

/** A check that looked at nothing has proved nothing. */
export function atLeast(count, least, what) {
  if (Number.isInteger(count) && count >= least) return `${count} ${what}`;
  throw new CheckFailure(
    `it looked at ${count} ${what} where at least ${least} were expected: the check is not working.`,
  );
}

const copied = [
  ...["src", "cluster", "bench", "test", "proto", ".ci"],
  ...["package.json", "tsconfig.json", "knip.json", ".dependency-cruiser.cjs"],
];

/** Hands `use` a temporary copy of the sources, in which violations can be seeded, and removes it. */
export function withSeededCopy(use) {
  const folder = mkdtempSync(join(tmpdir(), "folio-seeded-"));
  try {
    for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
