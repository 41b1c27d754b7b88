import { MUTANTS } from "./catalogue.js";
import { hunt } from "./hunt.js";

/** Prints one line per bug: who caught it, after how many seeds. Returns whether all were caught. */
export async function printMutants(print: (line: string) => void): Promise<boolean> {
  print(["bug".padEnd(22), "seeds".padStart(5), "  caught by".padEnd(32), "what was planted"].join(""));
  let isComplete = true;
  for (const mutant of MUTANTS) {
    const { caught, seeds } = await hunt(mutant);
    if (caught === undefined) isComplete = false;
    const by = caught === undefined ? "NOBODY" : caught.checker;
    print([mutant.bug.padEnd(22), String(seeds).padStart(5), `  ${by}`.padEnd(32), mutant.name].join(""));
    if (caught !== undefined) print(`${" ".repeat(29)}${caught.message.slice(0, 150)}`);
  }
  return isComplete;
}
