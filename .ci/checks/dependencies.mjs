import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";
import { atLeast, CheckFailure } from "./outcome.mjs";

export const name = "dependencies";
export const about = "exact versions, a lockfile that agrees, no registry addresses in it";

function faults(manifest, locked) {
  const lines = [];
  for (const kind of ["dependencies", "devDependencies"]) {
    for (const [dependency, version] of Object.entries(manifest[kind] ?? {})) {
      if (!/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) lines.push(`${dependency} is not pinned: ${version}`);
      if (locked.packages[""][kind]?.[dependency] !== version)
        lines.push(`package-lock.json lacks ${dependency} ${version}`);
    }
  }
  for (const [path, entry] of Object.entries(locked.packages)) {
    if (entry.resolved !== undefined) lines.push(`package-lock.json carries an address: ${path} ${entry.resolved}`);
    // Binaries for platforms that the registry of whoever locked does not carry have a version only.
    if (path !== "" && entry.integrity === undefined && entry.optional !== true)
      lines.push(`package-lock.json has no checksum: ${path}`);
  }
  return lines;
}

export function run() {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const found = faults(manifest, locked);
  if (found.length > 0) throw new CheckFailure(found.join("\n"));
  return atLeast(Object.keys(locked.packages).length - 1, 20, "locked packages");
}
