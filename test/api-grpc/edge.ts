import { Writable } from "node:stream";
import { Client, credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { pino } from "pino";
import type { Test } from "tap";
import { ApiKeys } from "../../src/access/api-keys.js";
import { buildGrpcServer, type GrpcServer, type GrpcServerOptions } from "../../src/api/grpc/grpc-server.js";
import type { InvariantViolation } from "../../src/assert.js";
import { readStatusDetails, type StatusDetails } from "../../src/client/status-details.js";
import { SequentialIDServiceClient } from "../../src/generated/sequentialid/sequential_id.js";
import { ScriptedBackend } from "./scripted-backend.js";

export interface Edge {
  readonly backend: ScriptedBackend;
  readonly server: GrpcServer;
  readonly port: number;
  readonly address: string;
  readonly client: SequentialIDServiceClient;
  /** For requests of any bytes. */
  readonly raw: Client;
  /** Parsed lines of the server's log. */
  readonly log: Readonly<Record<string, unknown>>[];
  readonly violations: InvariantViolation[];
}

/** The real server on a free port over a scripted backend, and clients of it; all stopped with the test. */
export async function startEdge(t: Test, options: Partial<GrpcServerOptions> = {}): Promise<Edge> {
  const backend = new ScriptedBackend();
  const log: Record<string, unknown>[] = [];
  const violations: InvariantViolation[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const server = buildGrpcServer({
    backend,
    access: new ApiKeys({ clients: [], admins: ["admin-key"] }),
    limiter: undefined,
    logger: pino({ level: "info" }, sink),
    version: "1.2.3",
    crash: (violation) => violations.push(violation),
    ...options,
  });
  const port = await server.listen("127.0.0.1", 0);
  const address = `127.0.0.1:${port}`;
  const client = new SequentialIDServiceClient(address, credentials.createInsecure());
  const raw = new Client(address, credentials.createInsecure());
  t.teardown(() => {
    client.close();
    raw.close();
    server.close();
  });
  return { backend, server, port, address, client, raw, log, violations };
}

export type Callback<Response> = (error: ServiceError | null, response?: Response) => void;

/** A call as a promise of its response. */
export function responseOf<Response>(start: (callback: Callback<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error !== null) reject(error);
      else if (response === undefined) reject(new Error("neither an error nor a response"));
      else resolve(response);
    });
  });
}

/** A call as a promise of its error. */
export function errorOf(start: (callback: Callback<unknown>) => unknown): Promise<ServiceError> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) reject(new Error(`no error but ${String(response)}`));
      else resolve(error);
    });
  });
}

export function detailsOf(error: { readonly metadata: Metadata }): StatusDetails {
  const trailer = error.metadata.get("grpc-status-details-bin")[0];
  const details = Buffer.isBuffer(trailer) ? readStatusDetails(trailer) : undefined;
  if (details === undefined) throw new Error("the error has no ErrorInfo");
  return details;
}

/** Sends any bytes to any method. */
export function sendBytes(raw: Client, path: string, bytes: Uint8Array): (callback: Callback<Buffer>) => unknown {
  const same = (buffer: Buffer): Buffer => buffer;
  return (callback) => raw.makeUnaryRequest(path, same, same, Buffer.from(bytes), callback);
}
