import { randomUUID } from "node:crypto";
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { HealthResponse_Status, SequentialIDServiceService as rpcs } from "../generated/sequentialid/sequential_id.js";
import { FolioError, withKey } from "./error.js";
import { defaultRetryLimits, type Repeatability, type RetryLimits, withFailover } from "./failover.js";
import { folioErrorOf } from "./grpc-failure.js";
import * as records from "./records.js";
import * as requests from "./requests.js";
import { Rotation } from "./rotation.js";

export interface FolioClientOptions {
  /** gRPC addresses of the nodes, host:port. Calls are spread over them, and go to another one when one fails. */
  readonly addresses: readonly string[];
  readonly apiKey?: string;
  /** How long a call may take with all its attempts; default 15 000. */
  readonly deadlineMs?: number;
  readonly retry?: Partial<Omit<RetryLimits, "deadlineMs">>;
  /** Default: plain text. */
  readonly channelCredentials?: ChannelCredentials;
}

interface FolioNode {
  readonly address: string;
  readonly channel: Client;
}

/** What ts-proto generates for one RPC. */
interface Rpc<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

interface Call {
  readonly repeatability: Repeatability;
  /** Of a draw; "": it goes without. */
  readonly key?: string;
  readonly options: requests.CallOptions;
}

/** Answers may hold 10 000 numbers of a long template. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Folio over gRPC. Every call rejects with FolioError only (error.ts), after the retries that are safe for it: reads and
 * draws with an idempotency key are repeated until the deadline; resets, changes and draws without a key only where a
 * node said, or the connection shows, that they were not executed.
 */
export class FolioClient {
  readonly #rotation: Rotation<FolioNode>;
  readonly #nodes: readonly FolioNode[];
  readonly #limits: RetryLimits;
  readonly #apiKey: string | undefined;

  constructor(options: FolioClientOptions) {
    this.#limits = {
      ...defaultRetryLimits,
      ...options.retry,
      deadlineMs: options.deadlineMs ?? defaultRetryLimits.deadlineMs,
    };
    this.#apiKey = options.apiKey;
    const channelCredentials = options.channelCredentials ?? credentials.createInsecure();
    this.#nodes = options.addresses.map((address) => ({
      address,
      channel: new Client(address, channelCredentials, {
        // Only this client knows what may be repeated.
        "grpc.enable_retries": 0,
        "grpc.service_config_disable_resolution": 1,
        "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.max_reconnect_backoff_ms": 2000,
        "grpc.keepalive_time_ms": 30_000,
        "grpc.keepalive_timeout_ms": 5000,
      }),
    }));
    this.#rotation = new Rotation(this.#nodes);
  }

  async next(prefix: string, options: requests.DrawOptions = {}): Promise<records.DrawnNumber> {
    const key = options.idempotencyKey ?? randomUUID();
    const request = requests.nextRequest(prefix, options, key);
    return records.drawnNumberOf(await this.#run(rpcs.getNext, request, drawing(key, options)));
  }

  /** Draws 1 to 1 000 000 numbers at once. */
  async nextBatch(prefix: string, count: number, options: requests.BatchOptions = {}): Promise<records.DrawnBatch> {
    const key = options.idempotencyKey ?? randomUUID();
    const request = requests.batchRequest(prefix, count, options, key);
    return records.drawnBatchOf(await this.#run(rpcs.getNextBatch, request, drawing(key, options)));
  }

  /** NOT_FOUND for a prefix that was never used. */
  async status(prefix: string, options: requests.StatusOptions = {}): Promise<records.SequenceStatus> {
    const call: Call = { repeatability: "read", options };
    return records.sequenceStatusOf(await this.#run(rpcs.getStatus, requests.statusRequest(prefix, options), call));
  }

  /** undefined for a prefix that was never used. */
  async getConfig(prefix: string, options: requests.CallOptions = {}): Promise<records.SequenceConfig | undefined> {
    const response = await this.#run(rpcs.getConfig, { prefix }, { repeatability: "read", options });
    return response.found ? records.sequenceConfigOf(response.config) : undefined;
  }

  /** Creates or changes a definition (administrators); what the change leaves out stays as it is. */
  async updateConfig(
    prefix: string,
    change: requests.ConfigChange,
    options: requests.UpdateOptions = {},
  ): Promise<records.SequenceConfig> {
    const request = requests.updateRequest(prefix, change, options);
    const response = await this.#run(rpcs.updateConfig, request, { repeatability: "once", options });
    return records.sequenceConfigOf(response.config);
  }

  /** Moves a counter (administrators); the next number is newValue + step. */
  async reset(prefix: string, newValue: number, options: requests.ResetOptions): Promise<records.ResetOutcome> {
    const request = requests.resetRequest(prefix, newValue, options);
    return records.resetOutcomeOf(await this.#run(rpcs.resetCounter, request, { repeatability: "once", options }));
  }

  /** Of whichever node answers first. */
  async health(options: requests.CallOptions = {}): Promise<records.NodeHealth> {
    const response = await this.#run(rpcs.health, {}, { repeatability: "read", options });
    const serving = response.status === HealthResponse_Status.SERVING;
    return { serving, message: response.message, details: response.details };
  }

  /** Ends the connections; calls under way fail. */
  close(): void {
    for (const node of this.#nodes) node.channel.close();
  }

  #run<Request extends object, Response>(rpc: Rpc<Request, Response>, request: Request, call: Call): Promise<Response> {
    requests.requireUnicode(request);
    const requestId = call.options.requestId ?? randomUUID();
    const metadata = new Metadata();
    setText(metadata, "x-request-id", requestId);
    if (this.#apiKey !== undefined) setText(metadata, "x-api-key", this.#apiKey);
    const deadlineMs = call.options.deadlineMs ?? this.#limits.deadlineMs;
    const limits = { ...this.#limits, deadlineMs };
    const answered = withFailover(this.#rotation, limits, call.repeatability, (node, timeoutMs) =>
      invoke(node, rpc, request, metadata, { timeoutMs, requestId }),
    );
    const { key = "" } = call;
    return key === "" ? answered : answered.catch((error: unknown) => Promise.reject(withKey(error, key)));
  }
}

/** Metadata takes printable ASCII only, and throws a nameless error for anything else. */
function setText(metadata: Metadata, name: string, value: string): void {
  if (!/^[\x20-\x7e]+$/.test(value)) {
    throw new FolioError("VALIDATION_ERROR", `${name} must be printable ASCII characters`, { field: name });
  }
  metadata.set(name, value);
}

function drawing(key: string, options: requests.CallOptions): Call {
  return { repeatability: key === "" ? "once" : "keyed", key, options };
}

function invoke<Request, Response>(
  node: FolioNode,
  rpc: Rpc<Request, Response>,
  request: Request,
  metadata: Metadata,
  { timeoutMs, requestId }: { readonly timeoutMs: number; readonly requestId: string },
): Promise<Response> {
  const deadline = Date.now() + timeoutMs;
  return new Promise((resolve, reject) => {
    const answered = (error: ServiceError | null, response?: Response): void => {
      if (error !== null) reject(folioErrorOf(error, node.address, requestId));
      else if (response === undefined) reject(new FolioError("OUTCOME_UNKNOWN", `${node.address} answered nothing`));
      else resolve(response);
    };
    const { path, requestSerialize, responseDeserialize } = rpc;
    node.channel.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      { deadline },
      answered,
    );
  });
}
