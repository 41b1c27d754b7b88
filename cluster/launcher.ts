import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { variableNames } from "../src/config.js";
import { describeExit, type NodeExit, NodeProcess } from "./node-process.js";
import { type NodePorts, portNames, whyPortIsTaken } from "./ports.js";

export interface LocalClusterOptions {
  /** How many founding nodes; their ids are 1 to this. */
  readonly nodes: number;
  /** Node i keeps its data in `node-i` below it and writes what it prints to `node-i.log`. */
  readonly dataDir: string;
  readonly ports: (id: number) => NodePorts;
  /** Configuration for all nodes, or for each by its id; wins over what the launcher sets. */
  readonly env?: NodeJS.ProcessEnv | ((id: number) => NodeJS.ProcessEnv);
  /** Called when a node ends that nobody told to; nothing restarts it. */
  readonly onUnexpectedExit?: (exit: NodeExit) => void;
  /** How long a node may take until it serves. Default 30 000. */
  readonly readyMs?: number;
  /** How long a node may take to stop before it is killed. Default 25 000: longer than a node gives itself. */
  readonly graceMs?: number;
  /** Program and parameters that run a node; the default is `folio node` as compiled beside this file. */
  readonly command?: readonly string[];
}

/** The cluster could not be started; the message says which node, which port, and what it printed. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
}

const host = "127.0.0.1";
const readyMsDefault = 30_000;
const graceMsDefault = 25_000;
const pollMs = 25;
const pollTimeoutMs = 2000;
/** After these the process still exists. */
const survivable: ReadonlySet<NodeJS.Signals> = new Set(["SIGSTOP", "SIGCONT", "SIGUSR1", "SIGUSR2"]);

function nodeCommand(): readonly string[] {
  return [fileURLToPath(new URL("../src/cli/main.js", import.meta.url)), "node"];
}

/** What this process has in its environment and Folio does not read: a test's own settings must not leak into nodes. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  const ours: readonly string[] = variableNames;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.includes(name)));
}

/** A cluster of real processes on this machine, all on loopback. */
export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #running = new Map<number, NodeProcess>();
  /** Processes on their way to `#running`, by node. */
  readonly #starting = new Map<number, Promise<void>>();
  /** Since the last start or restart: nothing may be spawned any more. */
  #stopRequested = false;
  /** Processes that were told to end: their end is no surprise. */
  readonly #expected = new WeakSet<NodeProcess>();

  /** Whatever ends this process, the nodes do not outlive it (SIGKILL excepted). */
  readonly #killOnExit = (): void => this.killAll();

  constructor(options: LocalClusterOptions) {
    this.#options = options;
  }

  get ids(): readonly number[] {
    return Array.from({ length: this.#options.nodes }, (_, place) => place + 1);
  }

  /** Origin of the node's REST listener. */
  rest(id: number): string {
    return `http://${host}:${this.#options.ports(id).rest}`;
  }

  /** host:port of the node's gRPC listener. */
  grpc(id: number): string {
    return `${host}:${this.#options.ports(id).grpc}`;
  }

  /** undefined while the node is not running. */
  pid(id: number): number | undefined {
    return this.#running.get(id)?.pid;
  }

  logPath(id: number): string {
    return join(this.#options.dataDir, `node-${id}.log`);
  }

  /**
   * Starts all nodes and waits until each of them serves.
   *
   * @throws LaunchError after stopping what was started
   */
  async start(): Promise<void> {
    this.#stopRequested = false;
    process.off("exit", this.#killOnExit).on("exit", this.#killOnExit);
    mkdirSync(this.#options.dataDir, { recursive: true });
    await this.#requireFreePorts();
    try {
      // All of them settle first, so that nothing is being started while everything is being stopped.
      const started = await Promise.allSettled(this.ids.map((id) => this.#startNode(id)));
      for (const outcome of started) if (outcome.status === "rejected") throw outcome.reason;
      await Promise.all(this.ids.map((id) => this.ready(id)));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Starts a node that is not running, with the data it has, and waits until it serves. */
  async restart(id: number): Promise<void> {
    this.#stopRequested = false;
    process.off("exit", this.#killOnExit).on("exit", this.#killOnExit);
    await this.#startNode(id);
    await this.ready(id);
  }

  /** Resolves when the node answers that it serves; @throws LaunchError if it ends or takes too long. */
  async ready(id: number): Promise<void> {
    const node = this.#running.get(id);
    if (node === undefined) throw new LaunchError(`node ${id} is not running`);
    const readyMs = this.#options.readyMs ?? readyMsDefault;
    const gaveUp = new AbortController();
    const exited = node.exited.then((exit) => {
      throw new LaunchError(describeExit(exit));
    });
    try {
      await Promise.race([exited, this.#pollReady(id, { endsAt: performance.now() + readyMs, gaveUp: gaveUp.signal })]);
    } finally {
      gaveUp.abort();
    }
  }

  /** Sends a signal; resolves when the process has ended, or at once after a signal that it survives. */
  async kill(id: number, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const node = this.#running.get(id);
    if (node === undefined) return;
    if (!survivable.has(signal)) this.#expected.add(node);
    node.signal(signal);
    if (!survivable.has(signal)) await node.exited;
  }

  /** Stops all nodes: SIGTERM first, and SIGKILL for those that take too long. */
  async stop(): Promise<void> {
    this.#stopRequested = true;
    await Promise.allSettled(this.#starting.values());
    await Promise.all([...this.#running.values()].map((running) => this.#stopNode(running)));
    process.off("exit", this.#killOnExit);
  }

  /** Ends all nodes at once, without waiting: for the last moments of the process that started them. */
  killAll(): void {
    for (const node of this.#running.values()) {
      this.#expected.add(node);
      node.signal("SIGKILL");
    }
  }

  async #stopNode(node: NodeProcess): Promise<void> {
    this.#expected.add(node);
    node.signal("SIGTERM");
    // A stopped process receives nothing else.
    node.signal("SIGCONT");
    const settled = new AbortController();
    const grace = pause(this.#options.graceMs ?? graceMsDefault, undefined, { signal: settled.signal }).then(
      () => node.signal("SIGKILL"),
      () => undefined,
    );
    await node.exited;
    settled.abort();
    await grace;
  }

  async #startNode(id: number): Promise<void> {
    if (this.#running.has(id) || this.#starting.has(id)) throw new LaunchError(`node ${id} is running already`);
    const started = this.#spawn(id).finally(() => this.#starting.delete(id));
    this.#starting.set(id, started);
    await started;
  }

  async #spawn(id: number): Promise<void> {
    if (this.#stopRequested) throw new LaunchError(`node ${id} was not started: the cluster is being stopped`);
    const node = await NodeProcess.start({
      id,
      command: this.#options.command ?? nodeCommand(),
      env: this.#environment(id),
      logPath: this.logPath(id),
    });
    this.#running.set(id, node);
    // Never rejects; whoever waits for the end sees the same exit.
    void node.exited.then((exit) => {
      this.#running.delete(id);
      if (!this.#expected.has(node)) this.#options.onUnexpectedExit?.(exit);
    });
  }

  #environment(id: number): NodeJS.ProcessEnv {
    const { env, dataDir, ports } = this.#options;
    const { rest, grpc, peer } = ports(id);
    return {
      ...foreignEnvironment(),
      NODE_ID: String(id),
      HOST: host,
      PORT: String(rest),
      GRPC_PORT: String(grpc),
      PEER_PORT: String(peer),
      PEERS: this.ids.map((other) => `${other}=${host}:${ports(other).peer}`).join(","),
      DATA_DIR: join(dataDir, `node-${id}`),
      ...(typeof env === "function" ? env(id) : env),
    };
  }

  async #requireFreePorts(): Promise<void> {
    for (const id of this.ids) {
      for (const [name, port] of Object.entries(this.#options.ports(id))) {
        const reason = await whyPortIsTaken(port, host);
        if (reason === undefined) continue;
        const what = reason === "EADDRINUSE" ? "is in use already" : `cannot be used (${reason})`;
        throw new LaunchError(`port ${port}, for ${portNames[name as keyof NodePorts]} of node ${id}, ${what}`);
      }
    }
  }

  /** A deadline by the clock: a timeout signal that nothing else holds may be collected before it fires. */
  async #pollReady(id: number, until: { readonly endsAt: number; readonly gaveUp: AbortSignal }): Promise<void> {
    let last = "it did not answer";
    while (!until.gaveUp.aborted && performance.now() < until.endsAt) {
      const answer = await this.#askReady(id);
      if (answer === "ready") return;
      last = answer;
      await pause(pollMs);
    }
    const lines = this.#running.get(id)?.lastLines() ?? [];
    throw new LaunchError([`node ${id} does not serve: ${last}`, ...lines].join("\n"));
  }

  async #askReady(id: number): Promise<string> {
    try {
      const response = await fetch(`${this.rest(id)}/ready`, { signal: AbortSignal.timeout(pollTimeoutMs) });
      const text = await response.text();
      return response.ok ? "ready" : `${response.status} ${text}`;
    } catch (error) {
      // Not listening yet, or too busy: the next poll tells.
      const { message, cause } = error as Error;
      return cause instanceof Error ? cause.message : message;
    }
  }
}
