import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { systemClock } from "@tercel/grpc";
import { defineMethod } from "../../../packages/grpc/src/call/method-definition.ts";
import { createProtobufCodec } from "../../../packages/grpc/src/codec/index.ts";
import { unindexedFields } from "../../../packages/grpc/src/protocol/unindexed-fields.ts";
import { ClientCall, type ClientCallListener } from "../../../packages/grpc/src/transport/client/client-call.ts";
import {
  type ClientCallPlan,
  type ClientCallSettings,
  planCalls,
} from "../../../packages/grpc/src/transport/client/client-call-settings.ts";
import {
  createHttp2Connect,
  type Http2ClientConnection,
} from "../../../packages/grpc/src/transport/client/http2-client-connection.ts";
import { RequestHeads } from "../../../packages/grpc/src/transport/request-heads.ts";

const settings: ClientCallSettings = {
  codec: createProtobufCodec(),
  compressions: [],
  sendCompression: undefined,
  compressMinBytes: 1024,
  maxReceiveMessageBytes: 4 * 1024 * 1024,
  maxSendMessageBytes: 4 * 1024 * 1024,
  clock: systemClock,
};

/** Makes unary calls on one connection as the channel does, without the work of the channel. */
export class BareCaller {
  private readonly connection: Http2ClientConnection;
  private readonly heads: RequestHeads;
  private readonly plans = new Map<DescMethodUnary, ClientCallPlan>();

  private constructor(connection: Http2ClientConnection, heads: RequestHeads) {
    this.connection = connection;
    this.heads = heads;
  }

  static async connect(port: number): Promise<BareCaller> {
    const connect = createHttp2Connect({
      tls: undefined,
      authority: `127.0.0.1:${port}`,
      isAuthorityFixed: false,
      limits: {},
      keepalive: undefined,
      unindexedFields,
      clock: systemClock,
    });
    const connection = await connect(
      { host: "127.0.0.1", port },
      { onCapacity() {}, onGoaway() {}, onClose() {} },
      { signal: new AbortController().signal, connectTimeoutMs: 5000 },
    );
    const heads = new RequestHeads({
      scheme: "http",
      authority: `127.0.0.1:${port}`,
      format: "proto",
      sendCompression: undefined,
      compressions: [],
      userAgentPrefix: undefined,
    });
    return new BareCaller(connection as Http2ClientConnection, heads);
  }

  /** Up to the stream limit of the connection. A further call throws. */
  unary(method: DescMethodUnary, request: Message): Promise<{ readonly message: Message }> {
    return new Promise((resolve, reject) => {
      const call = new ClientCall(this.planOf(method), new AwaitedResponse(resolve, reject));
      this.connection.start(call, this.heads.of(call.method.path), []);
      call.send(request, true);
    });
  }

  private planOf(method: DescMethodUnary): ClientCallPlan {
    const plan = this.plans.get(method) ?? planCalls(defineMethod(method, settings.codec), settings);
    this.plans.set(method, plan);
    return plan;
  }

  close(): void {
    this.connection.close();
  }
}

class AwaitedResponse implements ClientCallListener {
  readonly deadlineAtMs = 0;
  private readonly resolve: (response: { readonly message: Message }) => void;
  private readonly reject: (error: Error) => void;
  private message: Message | undefined = undefined;

  constructor(resolve: AwaitedResponse["resolve"], reject: (error: Error) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }

  onHead(): void {}

  onMessage(_call: ClientCall, message: object | Promise<object>): void {
    this.message = message as Message;
  }

  onEnd(_call: ClientCall, error: ConnectError | undefined): void {
    if (error === undefined && this.message !== undefined) this.resolve({ message: this.message });
    else this.reject(error ?? new Error("the call ended without a message"));
  }

  onWritable(): void {}

  onReaderGone(): void {}

  describeCall(): string {
    return "";
  }
}
