import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from "pino";

export interface LoggerOptions {
  /** A level of pino's, or "silent". */
  readonly level: string;
  /** "auto" until the cluster has assigned one. */
  readonly nodeId: number | "auto";
}

/** JSON lines on stdout (or on the given stream), with the node's id in every one and levels by name. */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    base: { node_id: options.nodeId, pid: process.pid },
    // pino's own joins the messages of all causes to one text; here each stays with its error.
    serializers: { err: stdSerializers.errWithCause },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}
