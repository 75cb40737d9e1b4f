import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { compressMessages } from "@tercel/grpc";
import { createLoadReporting, type LoadMetrics, recordCallMetrics } from "@tercel/grpc/services";
import { cameCompressed } from "./compressed-mark.ts";
import {
  type BoolValue,
  type EchoStatus,
  PayloadType,
  type ResponseParameters,
  type SimpleRequest,
  type StreamingInputCallRequest,
  type StreamingOutputCallRequest,
  type StreamingOutputCallResponseSchema,
  type TestOrcaReport,
} from "./gen/grpc/testing/messages_pb.ts";
import type { TestService } from "./gen/grpc/testing/test_pb.ts";

/** The clients of these tests request a report every second. */
export const loadReporting = createLoadReporting({ minIntervalMs: 1000 });
/** One call at a time may set the server's report. */
let loadSetter: Promise<void> | undefined;

/** The server features of gRPC's interoperability test descriptions, without credentials. */
export const testService: Partial<ServiceImpl<typeof TestService>> = {
  emptyCall: () => ({}),

  unaryCall(request, context) {
    echoMetadata(context);
    checkCompressed(request);
    throwAskedStatus(request.responseStatus);
    chooseCompression(context, request.responseCompressed);
    if (request.orcaPerQueryReport !== undefined) recordCallMetrics(context, toMetrics(request.orcaPerQueryReport));
    return { payload: makePayload(request.responseType, request.responseSize) };
  },

  cacheableUnaryCall(_request, context) {
    context.responseHeader.set("cache-control", "max-age=60, public");
    return { payload: { body: Buffer.from(String(process.hrtime.bigint())) } };
  },

  async *streamingOutputCall(request, context) {
    throwAskedStatus(request.responseStatus);
    yield* responses(request, context);
  },

  async streamingInputCall(requests) {
    let aggregatedPayloadSize = 0;
    for await (const request of requests) {
      checkCompressed(request);
      aggregatedPayloadSize += request.payload?.body.length ?? 0;
    }
    return { aggregatedPayloadSize };
  },

  async *fullDuplexCall(requests, context) {
    echoMetadata(context);
    const setter = Promise.withResolvers<void>();
    try {
      for await (const request of requests) {
        throwAskedStatus(request.responseStatus);
        if (request.orcaOobReport !== undefined) {
          while (loadSetter !== undefined && loadSetter !== setter.promise) await loadSetter;
          loadSetter = setter.promise;
          loadReporting.replace(toMetrics(request.orcaOobReport));
        }
        yield* responses(request, context);
      }
    } finally {
      if (loadSetter === setter.promise) loadSetter = undefined;
      setter.resolve();
    }
  },

  async *halfDuplexCall(requests, context) {
    const kept: StreamingOutputCallRequest[] = [];
    for await (const request of requests) kept.push(request);
    for (const request of kept) yield* responses(request, context);
  },
};

async function* responses(
  request: StreamingOutputCallRequest,
  context: HandlerContext,
): AsyncIterable<MessageInitShape<typeof StreamingOutputCallResponseSchema>> {
  for (const parameters of request.responseParameters) {
    await pause(parameters, context.signal);
    chooseCompression(context, parameters.compressed);
    yield { payload: makePayload(request.responseType, parameters.size) };
  }
}

/** Echoes the two specified metadata keys, one in the headers and one in the trailers. */
function echoMetadata(context: HandlerContext): void {
  const initial = context.requestHeader.get("x-grpc-test-echo-initial");
  if (initial !== null) context.responseHeader.set("x-grpc-test-echo-initial", initial);
  const trailing = context.requestHeader.get("x-grpc-test-echo-trailing-bin");
  if (trailing !== null) context.responseTrailer.set("x-grpc-test-echo-trailing-bin", trailing);
}

function toMetrics({ memoryUtilization, ...others }: TestOrcaReport): LoadMetrics {
  return { ...others, memUtilization: memoryUtilization };
}

function checkCompressed(request: SimpleRequest | StreamingInputCallRequest): void {
  if (request.expectCompressed?.value !== true || cameCompressed(request)) return;
  throw new ConnectError("the message claims to be compressed and is not", Code.InvalidArgument);
}

function throwAskedStatus(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new ConnectError(status.message, status.code);
}

function chooseCompression(context: HandlerContext, asked: BoolValue | undefined): void {
  context.values.set(compressMessages, asked?.value);
}

function makePayload(type: PayloadType, size: number) {
  if (type !== PayloadType.COMPRESSABLE) throw new ConnectError(`no payload of type ${type}`, Code.InvalidArgument);
  if (size < 0) throw new ConnectError(`no payload of ${size} bytes`, Code.InvalidArgument);
  return { type, body: new Uint8Array(size) };
}

async function pause(parameters: ResponseParameters, signal: AbortSignal): Promise<void> {
  if (parameters.intervalUs > 0) await sleep(parameters.intervalUs / 1000, undefined, { signal });
}
