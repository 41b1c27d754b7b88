import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { LaunchError, NoSuchNode } from "./launch-error.js";

/** What a running `folio cluster` can be told. */
export type ControlRequest = { readonly kind: "add" } | { readonly kind: "remove"; readonly id: number };

/** Carries a request out. @returns a sentence that says what was done; @throws LaunchError */
export type ControlHandler = (request: ControlRequest) => Promise<string>;

const host = "127.0.0.1";
const fileName = "control.json";
const bodyBytesMax = 1000;
/** A joiner takes in a whole state. */
const answerMsMax = 120_000;

interface Door {
  readonly port: number;
  /** Whoever can read the data can change the cluster. */
  readonly token: string;
}

/** Listens on loopback for `folio cluster add` and `remove`, one at a time; where, stands in the data folder. */
export class ControlServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #token = randomBytes(32).toString("hex");
  readonly #handle: ControlHandler;
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = false;

  constructor(dataDir: string, handle: ControlHandler) {
    this.#path = join(dataDir, fileName);
    this.#handle = handle;
    this.#server = createServer((incoming, response) => {
      this.#answer(incoming, response).catch((error: Error) => response.destroy(error));
    });
  }

  async open(): Promise<void> {
    this.#server.listen({ port: 0, host });
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP listener has an address with a port");
    const door: Door = { port: address.port, token: this.#token };
    writeFileSync(this.#path, `${JSON.stringify(door)}\n`, { mode: 0o600 });
    this.#isOpen = true;
  }

  close(): void {
    // Another launcher may run on this folder, if this one never came so far.
    if (!this.#isOpen) return;
    rmSync(this.#path, { force: true });
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, message: string) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ message }));
    const wanted = isToken(incoming.headers["x-token"], this.#token) ? requestOf(await bodyOf(incoming)) : undefined;
    if (wanted === undefined) {
      send(403, "this launcher does not know you, or not what you want");
      return;
    }
    const turn = this.#last.then(() => this.#handle(wanted));
    this.#last = turn.catch(() => undefined);
    try {
      send(200, await turn);
    } catch (error) {
      if (!(error instanceof LaunchError)) throw error;
      send(error instanceof NoSuchNode ? 404 : 409, error.message);
    }
  }
}

function isToken(given: unknown, token: string): boolean {
  return (
    typeof given === "string" &&
    given.length === token.length &&
    timingSafeEqual(Buffer.from(given), Buffer.from(token))
  );
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming) {
    text += String(chunk);
    if (text.length > bodyBytesMax) return "";
  }
  return text;
}

function requestOf(text: string): ControlRequest | undefined {
  try {
    const { kind, id } = Object(JSON.parse(text)) as { readonly kind?: unknown; readonly id?: unknown };
    if (kind === "add") return { kind };
    if (kind === "remove" && typeof id === "number" && Number.isInteger(id)) return { kind, id };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

/**
 * Tells the `folio cluster` that runs on this data folder.
 * @returns what it says it has done
 * @throws NoSuchNode, LaunchError if none runs, or it could not be done
 */
export async function tellLauncher(dataDir: string, wanted: ControlRequest): Promise<string> {
  const { port, token } = readDoor(dataDir);
  const body = JSON.stringify(wanted);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), "x-token": token };
  const call = request({ host, port, method: "POST", headers, timeout: answerMsMax });
  call.on("timeout", () => call.destroy(new Error("it did not answer in time")));
  call.end(body);
  try {
    const [response] = (await once(call, "response")) as [IncomingMessage];
    const { message } = JSON.parse(await bodyOf(response)) as { readonly message: string };
    if (response.statusCode === 200) return message;
    if (response.statusCode === 404) throw new NoSuchNode(message);
    throw new LaunchError(message);
  } catch (error) {
    if (error instanceof LaunchError) throw error;
    throw new LaunchError(`the folio cluster of ${dataDir} cannot be told: ${(error as Error).message}`);
  }
}

function readDoor(dataDir: string): Door {
  try {
    return JSON.parse(readFileSync(join(dataDir, fileName), "utf8")) as Door;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new LaunchError(`no folio cluster runs on ${dataDir}: start it, or name its --data-dir`);
  }
}
