import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the checkout that these scripts belong to. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Every file under a folder, as paths relative to `from` with forward slashes, sorted; [] if there is no such folder. */
export function filesUnder(folder, from = root) {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** SHA-256 over names and contents: equal only if nothing was added, removed, renamed or changed. */
export function hashFiles(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    hash.update(`${path}\0`);
    hash.update(
      createHash("sha256")
        .update(readFileSync(join(root, path)))
        .digest(),
    );
  }
  return hash.digest("hex");
}

/** Where TypeScript sources live: what tsconfig.json includes. */
export const sourceFolders = ["src", "cluster", "bench", "test"];

export function typescriptSources() {
  return sourceFolders.flatMap((folder) => filesUnder(join(root, folder))).filter((path) => path.endsWith(".ts"));
}
