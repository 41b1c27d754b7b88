import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One bit of the newest write-ahead log of a node that does not run, early enough that the rest of it follows. */
export function damageLog(dataDir: string): void {
  const folder = join(dataDir, "log");
  const name = readdirSync(folder)
    .filter((file) => file.endsWith(".log"))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error("LevelDB writes ahead");
  const bytes = readFileSync(join(folder, name));
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(join(folder, name), bytes);
}
