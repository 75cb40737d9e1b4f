// Not the global of that name: looking that up runs a getter.
import { performance } from "node:perf_hooks";
import { Code } from "@connectrpc/connect";
import { ErrorCode, type Http2Stream, type RequestHead, type StreamListener } from "@tercel/http2";
import { appendStatusTrailers } from "../../protocol/trailers.ts";
import { Http2Exchange, toHttpRequestHead } from "./http2-exchange.ts";
import { type PlanSettings, planRequest, type Refusal, type RequestPlan } from "./request-plan.ts";
import { sendStatus } from "./send-status.ts";
import { ServerCall } from "./server-call.ts";
import type { ServerCallSettings } from "./server-call-settings.ts";

/** Makes a call of a stream that a client has opened, or refuses it. */
export function serveStream(
  planSettings: PlanSettings,
  callSettings: ServerCallSettings,
  stream: Http2Stream,
  head: RequestHead,
): void {
  // The head is shared by all requests with the same bytes, so its plan is made once, as long as the methods stay the same.
  let plan = head.memo as RequestPlan | Refusal | undefined;
  if (plan === undefined || plan.version !== planSettings.methods.version) {
    plan = planRequest(planSettings, head);
    head.memo = plan;
  }
  if ("format" in plan) {
    const call = new ServerCall(callSettings, stream, head, plan);
    stream.listener = call;
    call.begin();
    return;
  }
  if ("httpStatus" in plan && callSettings.serveOther !== undefined) {
    plan.exchangeHead ??= toHttpRequestHead(head);
    const exchange = new Http2Exchange(stream, plan.exchangeHead);
    stream.listener = exchange;
    callSettings.serveOther(exchange);
    return;
  }
  stream.listener = new Discard(stream);
  refuse(callSettings, stream, head.path, plan);
  // A request that ends with this frame is over only after this has returned, and then the stream need not be reset.
  queueMicrotask(() => {
    if (!stream.isClosed) stream.resetWhenSent(ErrorCode.noError);
  });
}

function refuse(settings: ServerCallSettings, stream: Http2Stream, path: string, refusal: Refusal): void {
  const arrivedAtMs = performance.now();
  const peer = stream.peerAddress;
  if ("error" in refusal) {
    const { error, handler } = refusal;
    const method = handler?.desc;
    // Clients read the status from the head when nothing else comes (trailers-only).
    const fields = [":status", "200", "content-type", "application/grpc"];
    fields.push(...settings.responseHeads.acceptEncodingFields);
    appendStatusTrailers(fields, error);
    sendStatus(stream, fields, false);
    const durationMs = performance.now() - arrivedAtMs;
    if (method !== undefined) {
      handler?.arrivals?.arrived(method);
      handler?.arrivals?.unhandled(method, error.code, durationMs);
    }
    settings.unhandled.report({ path, peer, method, code: error.code, reason: error.rawMessage, durationMs });
    return;
  }
  stream.sendHeaders([":status", String(refusal.httpStatus), "content-type", "text/plain; charset=utf-8"]);
  stream.sendData(Buffer.from(`${refusal.text}\n`), true);
  const durationMs = performance.now() - arrivedAtMs;
  // As gRPC's clients take an HTTP status of these (http-grpc-status-mapping).
  settings.unhandled.report({ path, peer, method: undefined, code: Code.Unknown, reason: refusal.text, durationMs });
}

/** Takes what still comes on a refused stream, and gives it back to the windows. */
class Discard implements StreamListener {
  private readonly stream: Http2Stream;

  constructor(stream: Http2Stream) {
    this.stream = stream;
  }

  onHead(): void {}
  onData(_bytes: Uint8Array, start: number, end: number): void {
    this.stream.consume(end - start);
  }
  onTrailers(): void {}
  onEnd(): void {}
  onReset(): void {}
  onWritable(): void {}
  isResetExpected(): boolean {
    return true;
  }
}
