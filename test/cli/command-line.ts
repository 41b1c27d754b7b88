import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { Registry } from "prom-client";
import type { Test } from "tap";
import { ApiKeys } from "../../src/access/api-keys.js";
import { buildRestApp } from "../../src/api/rest/app.js";
import { ScriptedAdministration } from "../api/scripted-administration.js";
import { ScriptedBackend } from "../api-grpc/scripted-backend.js";

const mainPath = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the compiled `folio` to its end.
 * @param line what follows `folio`; a list where a value has spaces
 * @param before what the shell that becomes it does first
 */
export function folio(
  line: string | readonly string[],
  env: Readonly<Record<string, string>> = {},
  before = ":",
): Promise<Outcome> {
  const parameters = typeof line === "string" ? line.split(" ") : line;
  const { FOLIO_SERVER: _server, FOLIO_API_KEY: _key, ...inherited } = process.env;
  return new Promise((resolve) => {
    execFile(
      "sh",
      ["-c", `${before}; exec "$@"`, "sh", process.execPath, mainPath, ...parameters],
      { env: { ...inherited, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

export interface RestNode {
  readonly backend: ScriptedBackend;
  readonly administration: ScriptedAdministration;
  readonly url: string;
}

/** The real REST edge over a scripted backend. */
export async function restNode(t: Test): Promise<RestNode> {
  const backend = new ScriptedBackend();
  const administration = new ScriptedAdministration();
  const app = await buildRestApp({
    backend,
    administration,
    access: new ApiKeys({ clients: [], admins: ["admin-key"] }),
    limiter: undefined,
    logger: pino({ level: "silent" }),
    metrics: new Registry(),
    version: "1.2.3",
    requestDeadlineMs: 10_000,
    crash: (violation) => {
      throw violation;
    },
  });
  t.teardown(() => app.close());
  return { backend, administration, url: await app.listen({ host: "127.0.0.1", port: 0 }) };
}
