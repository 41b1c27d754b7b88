import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The commit that runs, with a plus if there are changes on top of it; "unknown" outside of a checkout. */
export function commitName(): string {
  const directory = dirname(fileURLToPath(import.meta.url));
  const git = (...parameters: string[]) => execFileSync("git", parameters, { cwd: directory, encoding: "utf8" }).trim();
  try {
    return (
      git("rev-parse", "--short", "HEAD") +
      (git("status", "--porcelain", "--", ":/src", ":/test/simulation", ":/bench/history") === "" ? "" : "+")
    );
  } catch {
    return "unknown";
  }
}
