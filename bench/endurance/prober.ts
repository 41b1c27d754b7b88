import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ProbeAnswer, ProbeQuestion } from "./probe.js";

const ANSWER_MS = 90_000;

/** Asks what a node makes of a folder, in a process of its own: a node that ends takes nothing else with it. */
export class Prober {
  #child: ChildProcess | undefined;

  async ask(question: ProbeQuestion): Promise<ProbeAnswer> {
    this.#child ??= fork(fileURLToPath(new URL("probe-process.js", import.meta.url)), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const child = this.#child;
    const settled = new AbortController();
    const { signal } = settled;
    const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS);
    try {
      child.send(question);
      const answer = await Promise.race([
        once(child, "message", { signal }).then(([message]) => message as ProbeAnswer),
        once(child, "exit", { signal }).then(([code, name]): ProbeAnswer => {
          return { kind: "failed", says: `its process ended with ${code ?? name}` };
        }),
      ]);
      // What a node that failed left open must not be there for the next one.
      if (answer.kind === "failed" || (answer.kind === "refused" && !answer.atStart)) await this.close();
      return answer;
    } finally {
      clearTimeout(timer);
      settled.abort();
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}
