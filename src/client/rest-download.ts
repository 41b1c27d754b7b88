import { FolioError } from "./error.js";
import { folioErrorOfAnswer, folioErrorOfFetch } from "./rest-failure.js";

/** A server that sends nothing for so long has gone, or hangs. */
const SILENCE_MS = 30_000;

/** An answer that may be far larger than memory. */
export interface Download {
  /** host:port of the node that sends it. */
  readonly server: string;
  /** As they arrive; to be iterated once. Throws FolioError NOT_EXECUTED where the answer breaks off. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Asks for a body and hands it on as it arrives.
 * @param timeoutMs until the answer begins
 */
export async function download(
  url: URL,
  headers: Headers,
  { requestId, timeoutMs }: { readonly requestId: string; readonly timeoutMs: number },
): Promise<Download> {
  const alarm = new Alarm(timeoutMs);
  try {
    const response = await fetch(url, { headers, redirect: "manual", signal: alarm.signal });
    if (!response.ok) throw folioErrorOfAnswer(response, parsed(await response.text()), url.host, requestId);
    alarm.reset(SILENCE_MS);
    return { server: url.host, chunks: chunksOf(response, alarm, { server: url.host, requestId }) };
  } catch (error) {
    alarm.off();
    throw error instanceof FolioError ? error : folioErrorOfFetch(error, url.host, requestId);
  }
}

async function* chunksOf(
  response: Response,
  alarm: Alarm,
  { server, requestId }: { readonly server: string; readonly requestId: string },
): AsyncIterable<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined) {
      alarm.reset(SILENCE_MS);
      const { done, value } = await reader.read();
      // What the caller does with a chunk takes its own time.
      alarm.off();
      if (done) return;
      yield value;
    }
  } catch (error) {
    const { message } = folioErrorOfFetch(error, server, requestId);
    throw new FolioError("NOT_EXECUTED", `the answer broke off: ${message}`, { requestId, cause: error });
  } finally {
    alarm.off();
    await reader?.cancel().catch(() => undefined);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Aborts unless it is reset in time. */
class Alarm {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number) {
    this.reset(delayMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  reset(delayMs: number): void {
    this.off();
    this.#timer = setTimeout(() => this.#controller.abort(new DOMException("silence", "TimeoutError")), delayMs);
  }

  off(): void {
    clearTimeout(this.#timer);
  }
}
