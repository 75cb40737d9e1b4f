import type { DescMessage, DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { rejectToCaller } from "../call/caller-stack.ts";
import { toMessage } from "../call/messages/message-init.ts";
import type { RawCalls } from "../call/raw-call.ts";
import { createJsonCodec, createProtobufCodec } from "../codec/index.ts";
import { logCodecFault } from "../codec/log-codec-fault.ts";
import { attemptListeners } from "../hooks/hooked-interceptor.ts";
import { printable } from "../logging/printable.ts";
import { safeLog } from "../logging/safe-log.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../options/check-options.ts";
import { defaultCompressMinBytes } from "../protocol/compression.ts";
import { gzipCompression } from "../protocol/gzip-compression.ts";
import { maxAnnouncedMessageBytes } from "../protocol/message-framing.ts";
import { unindexedFields } from "../protocol/unindexed-fields.ts";
import { systemClock } from "../time/clock.ts";
import { DeadlineWheel } from "../time/deadline-wheel.ts";
import { TurnShare } from "../time/turn-share.ts";
import type { ClientCallSettings } from "../transport/client/client-call-settings.ts";
import type { Connect } from "../transport/client/client-connection.ts";
import { createHttp2Connect } from "../transport/client/http2-client-connection.ts";
import { LimitReporter } from "../transport/limit-reporter.ts";
import { RequestHeads } from "../transport/request-heads.ts";
import { checkClientTls } from "../transport/tls/check-tls-options.ts";
import { withFiles } from "../transport/tls/tls-files.ts";
import type { BalancerFactory } from "./balancer/index.ts";
import { createPolicies } from "./balancer/policies.ts";
import type { CallContext } from "./call/call-context.ts";
import { effectiveTimeout } from "./call/effective-timeout.ts";
import { type CallInit, interceptedCall, type StartCall } from "./call/intercepted-call.ts";
import { MethodPlans } from "./call/method-plans.ts";
import { OutgoingCall } from "./call/outgoing-call.ts";
import { createRawCalls } from "./call/raw-calls.ts";
import { StreamingCall } from "./call/streaming-call.ts";
import { UnaryCall } from "./call/unary-call.ts";
import { type ChannelOptions, checkChannelOptions } from "./channel-options.ts";
import { ChannelCore } from "./core/channel-core.ts";
import type { ChannelExplanation } from "./explain/explanation.ts";
import { isIpv6 } from "./naming/ip-address.ts";
import { parseTarget } from "./naming/target.ts";
import { ReplayBudget } from "./retry/replay-budget.ts";
import { type ParseServiceConfigOptions, parseServiceConfig } from "./service-config/parse-service-config.ts";
import type { ConnectivityState } from "./subchannel/connectivity.ts";
import { createStartWatch } from "./subchannel/watch-stream.ts";

/** A client's way to a service: a Connect Transport that finds, connects, and keeps connections. */
export interface Channel extends Transport {
  /** gRPC's connectivity state. A channel is idle until the first call. */
  readonly state: ConnectivityState;
  /** Calls whose messages are bytes, see `@tercel/grpc/raw`. */
  readonly raw: RawCalls;
  /** Connects without waiting for a call. */
  connect(): void;
  /** The channel as it is now: state, name resolution, endpoints, calls, latest errors. */
  explain(): ChannelExplanation;
  /**
   * Ends the channel: new and waiting calls fail with Canceled, open ones may end within the deadline, and each connection closes
   * with its last call. Resolves when the last connection is closed. A later call with a shorter deadline shortens it.
   *
   * @throws TypeError for an unknown option, RangeError for a number out of its bounds
   */
  close(options?: ChannelCloseOptions): Promise<void>;
}

export interface ChannelCloseOptions {
  /**
   * Calls that are still open after this many milliseconds fail with Unavailable. Default 30,000, as for a server's `close`: a
   * stream that its reader has left would keep the channel open for ever. 0 ends them at once.
   */
  readonly deadlineMs?: number;
}

const defaultMaxReceiveMessageBytes = 4 * 1024 * 1024;

/** What grpc-js and gRPC C-core keep of requests for retries. */
const defaultRetryBufferBytesPerCall = 256 * 1024;
const defaultRetryBufferBytes = 16 * 1024 * 1024;

/**
 * Makes a channel to a target: `host:port`, `dns:///host:port`, `unix:/path`, `ipv4:1.2.3.4:50051` or
 * `static:///a:1,b:2`. It connects with the first call.
 *
 * @throws TypeError for an unknown option or a target that cannot be read, RangeError for a number out of its bounds
 */
export function createChannel(target: string, options: ChannelOptions = {}): Channel {
  return channelOver(target, options, undefined);
}

/** For tests and for the in-memory transport: a channel that makes its connections by `connect`. */
export function channelOver(target: string, options: ChannelOptions, connect: Connect | undefined): Channel {
  checkChannelOptions(options);
  const isSecure = options.tls !== undefined;
  const resolvers = options.resolvers ?? [];
  const parsed = parseTarget(target, { tls: isSecure, schemes: resolvers.map(({ scheme }) => scheme) });
  const clock = options.clock ?? systemClock;
  const log = safeLog(options.log);
  const compressions = options.acceptCompressions ?? [gzipCompression];
  const { sendCompression } = options;
  const { maxDecodedMessageBytes, keepUnknownFields } = options;
  const codec =
    options.format === "json"
      ? createJsonCodec(options.jsonOptions, { maxDecodedMessageBytes })
      : createProtobufCodec({ keepUnknownFields, maxDecodedMessageBytes, onFault: logCodecFault(log) });
  const fixedAuthority = options.authority ?? fixedServerName(options.tls);
  const authority = fixedAuthority ?? parsed.authority;
  const scheme = isSecure ? "https" : "http";
  const balancers = createPolicies(options.balancers).all;
  const heads = new RequestHeads({
    scheme,
    authority,
    format: codec.name,
    sendCompression,
    compressions,
    userAgentPrefix: options.userAgentPrefix,
  });
  const settings: ClientCallSettings = {
    codec,
    compressions,
    sendCompression,
    compressMinBytes: options.compressMinBytes ?? defaultCompressMinBytes,
    maxReceiveMessageBytes: options.maxReceiveMessageBytes ?? defaultMaxReceiveMessageBytes,
    maxSendMessageBytes: options.maxSendMessageBytes ?? maxAnnouncedMessageBytes,
    clock,
  };
  const plans = new MethodPlans(heads, settings);
  const core = new ChannelCore(
    parsed,
    connect ?? createHttp2Connect(connectSettings(options, authority, fixedAuthority !== undefined)),
    {
      clock,
      resolvers,
      balancers,
      onServiceConfig: (config) => plans.use(config),
      startWatch: createStartWatch(settings, heads),
      log,
      ...(options.serviceConfig === undefined
        ? {}
        : { serviceConfig: parseServiceConfig(options.serviceConfig, ownConfig(balancers)) }),
      ...(options.connectTimeoutMs === undefined ? {} : { connectTimeoutMs: options.connectTimeoutMs }),
      ...(options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs }),
    },
  );
  return new ChannelTransport({
    core,
    plans,
    replayBudget: new ReplayBudget(
      options.retryBufferBytesPerCall ?? defaultRetryBufferBytesPerCall,
      options.retryBufferBytes ?? defaultRetryBufferBytes,
    ),
    deadlines: new DeadlineWheel(clock, true),
    sendShare: new TurnShare(),
    receiveShare: new TurnShare(),
    interceptors: options.interceptors ?? [],
    onAttempt: attemptListeners(options.interceptors ?? []),
    target: parsed.uri,
    defaultTimeoutMs: options.defaultTimeoutMs,
    waitForReady: options.waitForReady,
    maxConcurrentCalls: options.maxConcurrentCalls ?? Number.POSITIVE_INFINITY,
    baseUrl: `${scheme}://${authority}`,
    clock,
    random: options.random ?? Math.random,
    onDropped: (name, reason) => log.debug("metadata was dropped", { name: printable(name), reason }),
  });
}

/** What an application writes is held to more than what a resolver brings. */
function ownConfig(balancers: readonly BalancerFactory[]): ParseServiceConfigOptions {
  return { balancers, refuseUnknown: true, where: "createChannel: serviceConfig" };
}

/** Asked for each connection: files may have changed, and so may what a function says. */
function tlsForEach(tls: ChannelOptions["tls"]) {
  if (tls === undefined) return undefined;
  if (tls === true) return {};
  if (typeof tls !== "function") return () => withFiles(tls);
  return () => {
    const options = tls();
    checkClientTls("the channel's tls function", options);
    return withFiles(options);
  };
}

/** As in grpc-go: an application that sets the name to verify means that server, so calls carry it as well. */
function fixedServerName(tls: ChannelOptions["tls"]): string | undefined {
  // What a function says may change from connection to connection, and so counts for TLS alone.
  if (typeof tls !== "object" || tls.servername === undefined || tls.servername === "") return undefined;
  return isIpv6(tls.servername) ? `[${tls.servername}]` : tls.servername;
}

function connectSettings(options: ChannelOptions, authority: string, isAuthorityFixed: boolean) {
  const { keepalive } = options;
  return {
    tls: tlsForEach(options.tls),
    authority,
    isAuthorityFixed,
    limits: options.limits ?? {},
    clock: options.clock ?? systemClock,
    unindexedFields,
    log: safeLog(options.log),
    limitReporter: new LimitReporter(safeLog(options.log), options.onLimit, options.clock ?? systemClock),
    keepalive:
      keepalive === undefined
        ? undefined
        : {
            timeMs: keepalive.timeMs,
            permitWithoutStreams: keepalive.permitWithoutCalls ?? false,
            ...(keepalive.timeoutMs === undefined ? {} : { timeoutMs: keepalive.timeoutMs }),
          },
  };
}

/** For channelz: the core of a channel; undefined for a channel that `createChannel` did not create. */
export function coreOf(channel: Channel): ChannelCore | undefined {
  return channel instanceof ChannelTransport ? channel.calls.core : undefined;
}

class ChannelTransport implements Channel {
  readonly calls: CallContext;
  readonly raw: RawCalls;
  private readonly startIntercepted: StartCall;

  constructor(calls: CallContext) {
    this.calls = calls;
    this.raw = createRawCalls(calls);
    this.startIntercepted = (request, init) => {
      const { signal, timeoutMs, metadata, onOver } = init;
      return request.stream
        ? this.startStream(request.method, signal, timeoutMs, metadata, request.message, request.contextValues, onOver)
        : this.startUnary(request.method, signal, timeoutMs, metadata, request.message, request.contextValues);
    };
  }

  get state(): ConnectivityState {
    return this.calls.core.state;
  }

  connect(): void {
    this.calls.core.connect();
  }

  explain(): ChannelExplanation {
    return this.calls.core.explain();
  }

  close(options: ChannelCloseOptions = {}): Promise<void> {
    refuseUnknownOptions("close", options, ["deadlineMs"]);
    checkWholeNumber("close", "deadlineMs", options.deadlineMs, 0, Number.MAX_SAFE_INTEGER);
    return this.calls.core.close(options.deadlineMs);
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: CallInit["metadata"],
    input: Parameters<Transport["unary"]>[4],
    contextValues?: CallInit["contextValues"],
  ): Promise<UnaryResponse<I, O>> {
    const { calls } = this;
    const timeout = effectiveTimeout(timeoutMs, calls.defaultTimeoutMs);
    if (calls.interceptors.length === 0) {
      return this.startUnary(method, signal, timeout, header, input, contextValues) as Promise<UnaryResponse<I, O>>;
    }
    const init = { signal, timeoutMs: timeout, metadata: header, contextValues };
    return interceptedCall(calls, method, toMessage(method.input, input), init, this.startIntercepted);
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: CallInit["metadata"],
    input: Parameters<Transport["stream"]>[4],
    contextValues?: CallInit["contextValues"],
  ): Promise<StreamResponse<I, O>> {
    const { calls } = this;
    const timeout = effectiveTimeout(timeoutMs, calls.defaultTimeoutMs);
    if (calls.interceptors.length === 0) {
      return this.startStream(method, signal, timeout, header, input, contextValues) as Promise<StreamResponse<I, O>>;
    }
    const init = { signal, timeoutMs: timeout, metadata: header, contextValues };
    return interceptedCall(calls, method, asMessages(method.input, input), init, this.startIntercepted);
  }

  private startUnary(
    method: DescMethodUnary,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    metadata: CallInit["metadata"],
    input: Parameters<Transport["unary"]>[4],
    contextValues: CallInit["contextValues"],
  ): Promise<UnaryResponse> {
    return new Promise((resolve) => {
      const init = { signal, timeoutMs, metadata, contextValues };
      try {
        const plan = this.calls.plans.of(method);
        const kind = new UnaryCall(plan.method.request.toMessage(input), resolve as (response: object) => void);
        new OutgoingCall(this.calls, plan, init, kind).begin(timeoutMs);
      } catch (error) {
        setImmediate(() => resolve(rejectToCaller(error)));
      }
    });
  }

  private startStream(
    method: DescMethodStreaming,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    metadata: CallInit["metadata"],
    input: Parameters<Transport["stream"]>[4],
    contextValues: CallInit["contextValues"],
    onOver?: StreamingCall["onOver"],
  ): Promise<StreamResponse> {
    return new Promise((resolve) => {
      const init = { signal, timeoutMs, metadata, contextValues };
      try {
        const kind = new StreamingCall(input, resolve as (response: object) => void);
        kind.onOver = onOver;
        new OutgoingCall(this.calls, this.calls.plans.of(method), init, kind).begin(timeoutMs);
      } catch (error) {
        setImmediate(() => resolve(rejectToCaller(error)));
      }
    });
  }
}

/** Interceptors see messages, whatever the application gave. */
async function* asMessages(schema: DescMessage, inputs: Parameters<Transport["stream"]>[4]): AsyncIterable<Message> {
  for await (const input of inputs) yield toMessage(schema, input);
}
