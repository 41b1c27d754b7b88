import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A bare server in a process of its own, so that it does not share a thread with the load. */
export class EchoProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(protocol: "rest" | "grpc"): Promise<EchoProcess> {
    const path = fileURLToPath(new URL("echo.js", import.meta.url));
    const child = spawn(process.execPath, [path, protocol], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface({ input: child.stdout })) return new EchoProcess(child, Number(line));
    throw new Error(`the ${protocol} echo server ended without listening`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
