import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Mutant } from "./mutant.js";

/** What runs: the product as it is, or with a bug planted. */
export type RunModule = typeof import("../run.js");

/** What the simulation does not load of the product. */
const LEFT_OUT: ReadonlySet<string> = new Set(["access", "api", "cli", "client", "telemetry"]);

/** The folder with the compiled src/ and test/. */
const COMPILED = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Runs `use` with the simulation of a mutated copy of the product; the copy is gone afterwards. */
export async function withMutant<Result>(mutant: Mutant, use: (module: RunModule) => Promise<Result>): Promise<Result> {
  const mirror = mkdtempSync(join(COMPILED, "../dist-mutant-"));
  try {
    for (const part of readdirSync(join(COMPILED, "src"))) {
      if (LEFT_OUT.has(part)) continue;
      cpSync(join(COMPILED, "src", part), join(mirror, "src", part), { recursive: true, filter: isCode });
    }
    for (const folder of ["test/simulation", "bench/history"]) {
      cpSync(join(COMPILED, folder), join(mirror, folder), { recursive: true, filter: isCode });
    }
    for (const { file, find, replace } of mutant.patches) {
      const path = join(mirror, file);
      writeFileSync(
        path,
        replacedOnce(readFileSync(path, "utf8"), { find, replace, where: `${mutant.name}, ${file}` }),
      );
    }
    const module = (await import(pathToFileURL(join(mirror, "test/simulation/run.js")).href)) as RunModule;
    return await use(module);
  } finally {
    rmSync(mirror, { recursive: true, force: true });
  }
}

/** @throws Error if the text is not there exactly once: the mutant no longer fits the source. */
export function replacedOnce(text: string, patch: { find: string; replace: string; where: string }): string {
  const parts = text.split(patch.find);
  if (parts.length !== 2) {
    throw new Error(
      `the mutant no longer fits the source (${patch.where}): found ${parts.length - 1} times: ${patch.find}`,
    );
  }
  return parts.join(patch.replace);
}

function isCode(path: string): boolean {
  return !path.endsWith(".map") && !path.endsWith(".tsbuildinfo");
}
