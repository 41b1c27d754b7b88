import { compareGenerated } from "../generate.mjs";
import { atLeast, CheckFailure } from "./outcome.mjs";

export const name = "generated";
export const about = "src/generated is what proto/ says, and nobody edited it";

export function run() {
  const { wanted, changed, stale } = compareGenerated();
  if (changed.length + stale.length > 0) {
    const lines = [...changed.map((path) => `differs: ${path}`), ...stale.map((path) => `has no source: ${path}`)];
    throw new CheckFailure(`${lines.join("\n")}\nRun \`npm run build\` and commit src/generated.`);
  }
  return atLeast(wanted.length, 4, "files");
}
