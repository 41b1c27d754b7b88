import type { Server, ServerWritableStream } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

const SERVICE = "sequentialid.SequentialIDService";
/** The standard asks for pushed changes; a Backend is asked for its state. */
const POLL_INTERVAL_MS = 100;

type Watcher = ServerWritableStream<unknown, unknown>;

/** grpc.health.v1.Health: the server as a whole ("") and the public service follow what `isReady` says. */
export class ServingStatus {
  readonly #health = new HealthImplementation({ "": "NOT_SERVING", [SERVICE]: "NOT_SERVING" });
  readonly #isReady: () => boolean;
  readonly #watchers = new Set<Watcher>();
  #serving = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
  }

  addToServer(server: Server): void {
    this.#health.addToServer({
      addService: (service, implementation) =>
        server.addService(service, {
          ...implementation,
          watch: (call: Watcher) => {
            this.#watchers.add(call);
            call.once("cancelled", () => this.#watchers.delete(call));
            Reflect.apply(implementation["watch"] as (call: Watcher) => void, undefined, [call]);
          },
        }),
    });
  }

  start(): void {
    this.#update();
    this.#timer = setInterval(() => this.#update(), POLL_INTERVAL_MS);
    this.#timer.unref();
  }

  /** NOT_SERVING from here on. Watchers are told and let go, since they would keep the server from draining. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
    this.#update();
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  #update(): void {
    const serving = !this.#stopped && this.#isReady();
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const name of ["", SERVICE]) this.#health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
  }
}
