import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Metadata, Server, ServerCredentials, type sendUnaryData, status } from "@grpc/grpc-js";
import {
  type GetNextRequest,
  GetNextResponse,
  type GetStatusRequest,
  SequentialIDServiceService,
} from "../../src/generated/sequentialid/sequential_id.js";

/** What a scripted node does with one call. */
export type Step = "answer" | "hang" | "drop" | keyof typeof FAILURES;

/** Code, sentence, Folio's code and the field that it is about. */
const FAILURES = {
  refuse: [status.UNAVAILABLE, "no leader", "NOT_EXECUTED", ""],
  unknown: [status.DEADLINE_EXCEEDED, "who knows", "OUTCOME_UNKNOWN", ""],
  forbid: [status.PERMISSION_DENIED, "not you", "FORBIDDEN", "prefix"],
  throttle: [status.RESOURCE_EXHAUSTED, "too many", "RATE_LIMIT_EXCEEDED", ""],
  exhaust: [status.FAILED_PRECONDITION, "no number is left", "EXHAUSTED", ""],
  mismatch: [status.FAILED_PRECONDITION, "another request", "IDEMPOTENCY_MISMATCH", "idempotency_key"],
} as const;

export interface ScriptedNode {
  readonly address: string;
  /** The requests that came in, in order. */
  readonly draws: GetNextRequest[];
  readonly statuses: GetStatusRequest[];
  stop(): void;
}

/** The trailer of an error, written independently of the server's code. */
function errorInfo(reason: string, field: string): Metadata {
  const info = new BinaryWriter();
  info.tag(1, WireType.LengthDelimited).string(reason);
  info.tag(2, WireType.LengthDelimited).string("folio");
  info.tag(3, WireType.LengthDelimited).fork();
  info.tag(1, WireType.LengthDelimited).string("field");
  info.tag(2, WireType.LengthDelimited).string(field);
  info.join();
  const writer = new BinaryWriter();
  writer.tag(3, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string("type.googleapis.com/google.rpc.ErrorInfo");
  writer.tag(2, WireType.LengthDelimited).bytes(info.finish());
  writer.join();
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(writer.finish()));
  return metadata;
}

/** A real gRPC server whose GetNext follows the script, one step per call; the last step repeats. */
export async function scriptedNode(script: readonly Step[]): Promise<ScriptedNode> {
  const server = new Server();
  const draws: GetNextRequest[] = [];
  const statuses: GetStatusRequest[] = [];
  const act = <Response>(step: Step, answer: sendUnaryData<Response>, response: Response): void => {
    if (step === "answer") answer(null, response);
    else if (step === "drop") server.forceShutdown();
    else if (step !== "hang") {
      const [code, details, reason, field] = FAILURES[step];
      answer({ code, details, metadata: errorInfo(reason, field) });
    }
  };
  const next = (count: number): Step => script[Math.min(count, script.length) - 1] ?? "answer";
  server.addService(
    { getNext: SequentialIDServiceService.getNext, getStatus: SequentialIDServiceService.getStatus },
    {
      getNext: (call: { request: GetNextRequest }, answer: sendUnaryData<GetNextResponse>) => {
        draws.push(call.request);
        const { prefix } = call.request;
        const response = GetNextResponse.fromPartial({ prefix, fullNumber: `${prefix}000001`, counter: 1n });
        act(next(draws.length), answer, response);
      },
      getStatus: (call: { request: GetStatusRequest }, answer: sendUnaryData<object>) => {
        statuses.push(call.request);
        act(next(statuses.length), answer, { prefix: call.request.prefix, config: {} });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, draws, statuses, stop: () => server.forceShutdown() };
}

/** An address at which nobody listens. */
export async function deadAddress(): Promise<string> {
  const node = await scriptedNode([]);
  node.stop();
  return node.address;
}
