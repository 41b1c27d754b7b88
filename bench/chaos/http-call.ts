import { type Agent, request } from "node:http";

/** What became of one HTTP call. */
export type CallOutcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: unknown }
  /** The connection was refused: nothing was sent. */
  | { readonly kind: "notSent" }
  /** It was sent, or may have been, and no answer came. */
  | { readonly kind: "lost"; readonly why: string };

export interface HttpCall {
  readonly url: URL;
  readonly agent: Agent;
  /** Sent as JSON by POST; undefined: a GET. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** One call, never repeated; resolves whatever happens. */
export function httpCall({ url, agent, body, headers = {}, timeoutMs }: HttpCall): Promise<CallOutcome> {
  return new Promise((resolve) => {
    const method = body === undefined ? "GET" : "POST";
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const call = request(url, { agent, method, headers: { ...type, ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", (error) => resolve({ kind: "lost", why: error.message }));
      response.on("end", () => {
        resolve({ kind: "answered", status: response.statusCode ?? 0, body: JSON.parse(text) });
      });
    });
    call.setTimeout(timeoutMs, () => call.destroy(new Error("no answer in time")));
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve({ kind: "notSent" });
      else resolve({ kind: "lost", why: error.code ?? error.message });
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
