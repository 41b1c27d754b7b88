import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileStamp } from "../src/file-stamp.js";
import { majority } from "../src/raft/quorum.js";
import { makeFolders } from "../src/storage/durable-directory.js";
import { belongingOf, isOut } from "./belonging.js";
import { foundersOf, type Members } from "./founding.js";
import { LaunchError, NoSuchNode } from "./launch-error.js";
import { type Absence, type Standing, untilEnough } from "./majority.js";
import { host, nodeEnvironment, nodeFolder, peerAddress } from "./node-environment.js";
import { NodeProcess, nodeCommand } from "./node-process.js";
import type { LocalClusterOptions } from "./options.js";
import { requireFreePorts } from "./ports.js";
import { type Asked, clusterKnownTo, comesTo, isVoter, type KnownCluster, type Question, serves } from "./readiness.js";
import { freeSeat, removalOrder, whyUndecided, withdraw } from "./seats.js";

const readyMsDefault = 30_000;
const lateMsDefault = 10_000;
const graceMsDefault = 25_000;
/** Between two words about a node that does not serve yet; a founder that is counted no more may be found out then. */
const waitingMs = 4000;
const removalMsDefault = 20_000;
/** After these the process still exists. */
const survivable: ReadonlySet<NodeJS.Signals> = new Set(["SIGSTOP", "SIGCONT", "SIGUSR1", "SIGUSR2"]);

/** A cluster of real processes on this machine, all on loopback. */
export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #running = new Map<number, NodeProcess>();
  /** Processes on their way to `#running`, by node. */
  readonly #starting = new Map<number, Promise<void>>();
  /** Members now. */
  readonly #ids: Set<number>;
  /** Those of them that joined while the cluster ran. */
  readonly #joined: Set<number>;
  /** Since the last start or restart: nothing may be spawned any more. */
  #stopRequested = false;
  /** Processes that were told to end: their end is no surprise. */
  readonly #expected = new WeakSet<NodeProcess>();

  /** Others than these may have been let in by hand: they are nobody's to judge. */
  readonly #isDown = (id: number): boolean => this.#ids.has(id) && !this.#running.has(id);

  /** Whatever ends this process, the nodes do not outlive it (SIGKILL excepted). */
  readonly #killOnExit = (): void => this.killAll();

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.#ids = new Set(options.members?.ids ?? foundersOf(options.nodes));
    this.#joined = new Set(options.members?.joined ?? []);
  }

  /** Of all members, running or not, ascending. */
  get ids(): readonly number[] {
    return [...this.#ids].sort((one, other) => one - other);
  }

  /** To start the same cluster again later. */
  get members(): Members {
    return { ids: this.ids, joined: this.ids.filter((id) => this.#joined.has(id)) };
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

  get #readyMs(): number {
    return this.#options.readyMs ?? readyMsDefault;
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
    await this.#startAll((members) => members);
  }

  /**
   * Starts all nodes and goes on with a majority: the others can be told to let go of one whose data are damaged or lost.
   * Founding takes all of them. Whoever does not serve is a member still, and may run; who is no member any more, as after
   * `folio recover`, is left out.
   * @returns those that do not serve
   * @throws LaunchError after stopping what was started, if too few serve
   */
  startMajority(): Promise<readonly Absence[]> {
    const isFounding = this.ids.every((id) => !existsSync(this.#nodeDir(id)));
    return this.#startAll(isFounding ? (members) => members : majority);
  }

  async #startAll(needed: (members: number) => number): Promise<readonly Absence[]> {
    this.#stopRequested = false;
    process.off("exit", this.#killOnExit).on("exit", this.#killOnExit);
    makeFolders(this.#options.dataDir);
    await requireFreePorts(this.ids, this.#options.ports, host);
    try {
      // All of them settle first, so that nothing is being started while everything is being stopped.
      const started = await Promise.allSettled(this.ids.map((id) => this.#startNode(id)));
      for (const outcome of started) if (outcome.status === "rejected") throw outcome.reason;
      return await untilEnough({
        ids: this.ids,
        needed,
        standing: (id, late) => this.#comesToServe(id, late),
        lateMs: this.#options.lateMs ?? lateMsDefault,
      });
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

  /**
   * Starts another node, which joins the running cluster, and waits until it serves and is a voter.
   *
   * @returns its id, the least that is free
   * @throws LaunchError if nobody could let it in, or after stopping it and giving its seat up if it had one
   */
  async addNode(): Promise<number> {
    let id = 1;
    while (this.#ids.has(id)) id += 1;
    await requireFreePorts([id], this.#options.ports, host);
    const obstacle = whyUndecided(await this.#knownTo(this.ids), this.#isDown);
    if (obstacle !== undefined) throw new LaunchError(`no node can be added now: ${obstacle}`);
    this.#setAside(id);
    this.#ids.add(id);
    try {
      await this.rejoin(id);
      return id;
    } catch (error) {
      // Whoever stops the cluster meanwhile finds it in there the next time.
      if (this.#stopRequested || !(error instanceof LaunchError)) throw error;
      throw new LaunchError(`${error.message}\n${await this.#withdraw(id)}`);
    }
  }

  /** A node that did not come to serve is none of the cluster's, whatever becomes of its seat. @returns what became of it */
  async #withdraw(id: number): Promise<string> {
    const running = this.#running.get(id);
    if (running !== undefined) await this.#stopNode(running);
    this.#forget(id);
    this.#setAside(id);
    return withdraw(id, this.#peers(this.ids));
  }

  /**
   * Starts a member whose seat was freed and whose folder is empty (`folio repair --rejoin`): it joins again.
   *
   * @throws LaunchError if it does not become a voter
   */
  async rejoin(id: number): Promise<void> {
    this.#joined.add(id);
    this.#options.onMembers?.(this.members);
    await this.restart(id);
    await this.#comesTo(id, "become a voter", isVoter(this.#asked(id), id));
  }

  /**
   * Stops a node in order and has the others free its seat. What it had is kept beside it, in `node-i.removed-` and when.
   *
   * @returns who belongs to the cluster now, whether its processes are this launcher's or not
   * @throws LaunchError if its seat cannot be freed: a node that ran runs on, or again, and is a member still
   */
  async removeNode(id: number): Promise<readonly number[]> {
    if (!this.#ids.has(id)) throw new NoSuchNode(`there is no node ${id} here: the nodes are ${this.ids.join(", ")}`);
    const others = this.ids.filter((other) => other !== id);
    if (others.length === 0) throw new LaunchError(`node ${id} is the last one: stop the cluster instead`);
    const members = await this.#release(id, others);
    this.#forget(id);
    this.#setAside(id);
    return members;
  }

  async #release(id: number, others: readonly number[]): Promise<readonly number[]> {
    const free = () =>
      freeSeat(id, this.#peers(others), this.#options.removalMs ?? removalMsDefault).catch((error: Error) => {
        throw error instanceof LaunchError
          ? new LaunchError(`the others do not free the seat of node ${id}: ${error.message}`)
          : error;
      });
    const running = this.#running.get(id);
    if (running === undefined) return free();
    const known = await this.#knownTo(others);
    if (removalOrder(id, known, this.#isDown) === "seat first") {
      const members = await free();
      await this.#stopNode(running);
      return members;
    }
    await this.#stopNode(running);
    try {
      return await free();
    } catch (error) {
      if (!(error instanceof LaunchError)) throw error;
      // Somebody else failed meanwhile. Its vote may be what is missing now.
      const again = await this.#startNode(id)
        .then(() => this.ready(id))
        .then(
          () => "It runs again",
          (failure: Error) => `It was started again, but ${failure.message}`,
        );
      throw new LaunchError(`${error.message}. ${again}`);
    }
  }

  #forget(id: number): void {
    this.#ids.delete(id);
    this.#joined.delete(id);
    this.#options.onMembers?.(this.members);
  }

  /** Resolves when the node answers that it serves; @throws LaunchError if it ends or takes too long. */
  async ready(id: number): Promise<void> {
    await this.#comesTo(id, "serve", serves(this.rest(id)));
  }

  /**
   * A node without a seat (after `folio recover`, or `folio members remove`) would never serve: once nodes that serve say
   * so, it is stopped and left out from now on. What is in its folder stays there. A founder is found out while it is
   * waited for; who joined may be on its way in, and is asked about like anybody that has ended or is late.
   *
   * @throws LaunchError if it belongs to the cluster, as far as is known, and does not serve
   */
  async #comesToServe(id: number, late: AbortSignal): Promise<Standing> {
    const endsAt = performance.now() + this.#readyMs;
    const others = () =>
      this.ids.filter((other) => other !== id && this.#running.has(other)).map((other) => this.#asked(other));
    let standing: Standing = "serves";
    let waitsSince = performance.now();
    const question: Question = async () => {
      const why = await serves(this.rest(id))();
      if (why === undefined || performance.now() < waitsSince + waitingMs) return why;
      waitsSince = performance.now();
      if (!this.#joined.has(id) && (await belongingOf(id, others())) === "out") standing = "out";
      if (standing === "out") return undefined;
      this.#options.onWaiting?.(id, why);
      return why;
    };
    try {
      await this.#comesTo(id, "serve", question, late);
      if (standing === "serves") return standing;
    } catch (error) {
      const isOver = () => this.#stopRequested || late.aborted || performance.now() >= endsAt;
      if (!(error instanceof LaunchError && (await isOut(id, { others, isOver })))) throw error;
    }
    await this.#leaveOut(id);
    return "out";
  }

  async #leaveOut(id: number): Promise<void> {
    const running = this.#running.get(id);
    if (running !== undefined) await this.#stopNode(running);
    this.#forget(id);
    this.#options.onLeftOut?.(id);
  }

  async #comesTo(id: number, what: string, question: Question, late?: AbortSignal): Promise<void> {
    const node = this.#running.get(id);
    if (node === undefined) throw new LaunchError(`node ${id} is not running`);
    await comesTo(node, { what, question, withinMs: this.#readyMs, late });
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

  /** What an earlier node of this id had must not be taken for the next one's, and is nobody's to delete. */
  #setAside(id: number): void {
    const dataDir = this.#nodeDir(id);
    if (!existsSync(dataDir)) return;
    renameSync(dataDir, `${dataDir}.removed-${fileStamp(new Date())}`);
  }

  #nodeDir(id: number): string {
    return nodeFolder(this.#options.dataDir, id);
  }

  #peers(ids: readonly number[]): readonly string[] {
    return ids.map((id) => peerAddress(id, this.#options.ports));
  }

  #knownTo(ids: readonly number[]): Promise<KnownCluster | undefined> {
    return clusterKnownTo(ids.map((id) => this.#asked(id)));
  }

  /** Client calls may need a key; an administrator's opens them, too. */
  #asked(id: number): Asked {
    const [apiKey = ""] = this.#environment(id)["ADMIN_API_KEYS"]?.split(",") ?? [];
    return { origin: this.rest(id), apiKey };
  }

  #environment(id: number): NodeJS.ProcessEnv {
    const contacts = this.#joined.has(id) ? this.ids.filter((other) => other !== id) : undefined;
    return nodeEnvironment(id, this.#options, contacts);
  }
}
