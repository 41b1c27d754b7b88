import { randomUUID } from "node:crypto";
import { FolioError, withKey } from "./error.js";
import { defaultRetryLimits, type Repeatability, type RetryLimits, withFailover } from "./failover.js";
import { type Download, download } from "./rest-download.js";
import { folioErrorOfAnswer, folioErrorOfFetch } from "./rest-failure.js";
import { Rotation } from "./rotation.js";

export interface FolioRestClientOptions {
  /** Origins of the nodes' REST ports; "http://" may be left out. */
  readonly servers: readonly string[];
  readonly apiKey?: string;
  /** How long a call may take with all its attempts; default 15 000. */
  readonly deadlineMs?: number;
  readonly retry?: Partial<Omit<RetryLimits, "deadlineMs">>;
}

export type QueryValue = string | number | boolean | undefined;

export interface RestCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below /api/v1, with a leading slash; see `segment` for what a caller gave. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** "keyed" sends `idempotencyKey`, or one made up for this call. */
  readonly repeatability: Repeatability;
  readonly idempotencyKey?: string | undefined;
}

/**
 * Folio over REST, for what gRPC does not have and for the command line. Retries as FolioClient does, and like it
 * rejects with FolioError only.
 */
export class FolioRestClient {
  readonly #rotation: Rotation<URL>;
  readonly #limits: RetryLimits;
  readonly #apiKey: string | undefined;

  /** @throws FolioError VALIDATION_ERROR for a server that is no URL */
  constructor(options: FolioRestClientOptions) {
    this.#rotation = new Rotation(options.servers.map(originOf));
    this.#apiKey = options.apiKey;
    this.#limits = {
      ...defaultRetryLimits,
      ...options.retry,
      deadlineMs: options.deadlineMs ?? defaultRetryLimits.deadlineMs,
    };
  }

  /** @returns the parsed body of a successful answer */
  call(call: RestCall): Promise<unknown> {
    const requestId = randomUUID();
    const key = call.repeatability === "keyed" ? (call.idempotencyKey ?? randomUUID()) : undefined;
    const headers = this.#headers(call, requestId, key);
    const answered = withFailover(this.#rotation, this.#limits, call.repeatability, (origin, timeoutMs) =>
      attempt(origin, call, headers, { requestId, timeoutMs }),
    );
    return key === undefined ? answered : answered.catch((error: unknown) => Promise.reject(withKey(error, key)));
  }

  /** For answers that are no JSON and have no limit. @param path below /api/v1, with a leading slash */
  download(path: string): Promise<Download> {
    const requestId = randomUUID();
    const call: RestCall = { method: "GET", path, repeatability: "read" };
    const headers = this.#headers(call, requestId, undefined);
    headers.set("accept", "application/octet-stream, application/problem+json");
    return withFailover(this.#rotation, this.#limits, call.repeatability, (origin, timeoutMs) =>
      download(urlOf(origin, call), headers, { requestId, timeoutMs }),
    );
  }

  #headers(call: RestCall, requestId: string, key: string | undefined): Headers {
    const headers = new Headers({ accept: "application/json", "x-request-id": requestId });
    try {
      for (const [name, value] of Object.entries(call.headers ?? {})) headers.set(name, value);
      if (call.body !== undefined) headers.set("content-type", "application/json");
      if (key !== undefined) headers.set("idempotency-key", key);
      if (this.#apiKey !== undefined) headers.set("x-api-key", this.#apiKey);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new FolioError("VALIDATION_ERROR", `a key or header cannot be sent: ${error.message}`, { cause: error });
    }
    return headers;
  }
}

/** One step of a path, so that what a user typed stays one step. */
export function segment(text: string): string {
  if (text === "" || text === "." || text === "..") {
    throw new FolioError("VALIDATION_ERROR", `"${text}" is not a prefix`, { field: "prefix" });
  }
  return encodeURIComponent(text);
}

function originOf(server: string): URL {
  const text = /^https?:\/\//.test(server) ? server : `http://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new FolioError("VALIDATION_ERROR", `"${server}" is not a server: write http://host:port`, {
      field: "server",
    });
  }
  return url;
}

function urlOf(origin: URL, call: RestCall): URL {
  const url = new URL(`/api/v1${call.path}`, origin);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

async function attempt(
  origin: URL,
  call: RestCall,
  headers: Headers,
  { requestId, timeoutMs }: { readonly requestId: string; readonly timeoutMs: number },
): Promise<unknown> {
  const answer = await exchange(origin, call, headers, { requestId, timeoutMs });
  const body = parsed(answer.text);
  if (!answer.response.ok) throw folioErrorOfAnswer(answer.response, body, origin.host, requestId);
  if (body === undefined) {
    throw new FolioError("OUTCOME_UNKNOWN", `${origin.host} answered something that is not JSON`, { requestId });
  }
  return body;
}

async function exchange(
  origin: URL,
  call: RestCall,
  headers: Headers,
  { requestId, timeoutMs }: { readonly requestId: string; readonly timeoutMs: number },
): Promise<{ readonly response: Response; readonly text: string }> {
  try {
    headers.set("prefer", `wait=${(waitMs(timeoutMs) / 1000).toFixed(3)}`);
    const response = await fetch(urlOf(origin, call), {
      method: call.method,
      headers,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      // A redirected POST would arrive as a GET.
      redirect: "manual",
      signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
    });
    return { response, text: await response.text() };
  } catch (error) {
    throw folioErrorOfFetch(error, origin.host, requestId);
  }
}

/**
 * How long the node may wait, so that it is the node who says what became of the call: nodes look at their deadlines ten
 * times a second, and the way back takes a moment, too.
 */
function waitMs(timeoutMs: number): number {
  return timeoutMs - Math.min(Math.max(500, 100 + timeoutMs / 8), timeoutMs / 2, 1000);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
