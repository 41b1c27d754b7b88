import { Server, ServerCredentials, type UntypedHandleCall } from "@grpc/grpc-js";
import fastify from "fastify";
import { Type } from "typebox";
import {
  type GetNextRequest,
  GetNextResponse,
  SequentialIDServiceService,
} from "../src/generated/sequentialid/sequential_id.js";

/**
 * What the frameworks cost by themselves: the same request, an answer of the same shape, no sequence behind it.
 * `node dist/bench/echo.js rest|grpc` listens on loopback and prints its port.
 */
const host = "127.0.0.1";

function answerTo(prefix: string): { full_number: string; prefix: string; counter: number; message_id: string } {
  return { full_number: `${prefix}000001`, prefix, counter: 1, message_id: "1-0" };
}

async function listenRest(): Promise<number> {
  const app = fastify({ logger: false });
  const body = Type.Object({ prefix: Type.String(), client_id: Type.String() });
  const response = Type.Object({
    full_number: Type.String(),
    prefix: Type.String(),
    counter: Type.Integer(),
    period: Type.String(),
    generated_at: Type.String(),
    message_id: Type.String(),
  });
  app.post<{ Body: { prefix: string } }>("/api/v1/next", { schema: { body, response: { 200: response } } }, (request) =>
    Promise.resolve({ ...answerTo(request.body.prefix), period: "", generated_at: new Date().toISOString() }),
  );
  return Number(new URL(await app.listen({ host, port: 0 })).port);
}

function listenGrpc(): Promise<number> {
  const server = new Server();
  const getNext: UntypedHandleCall = (
    call: { request: GetNextRequest },
    reply: (error: null, answer: GetNextResponse) => void,
  ) => {
    const { full_number, prefix, message_id } = answerTo(call.request.prefix);
    reply(null, GetNextResponse.fromPartial({ fullNumber: full_number, prefix, counter: 1n, messageId: message_id }));
  };
  server.addService({ getNext: SequentialIDServiceService.getNext }, { getNext });
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:0`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

const port = await (process.argv[2] === "grpc" ? listenGrpc() : listenRest());
process.stdout.write(`${port}\n`);
