import { statusNames } from "@tercel/grpc/internal";
import { array, type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, share, text, wholeNumber } from "../values/basic-values.ts";
import { byteSize } from "../values/byte-size.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";
import { compressionSection } from "./communication-section.ts";
import { serviceName } from "./service-section.ts";
import { clientTlsSection } from "./tls-section.ts";

/** Of errors: success is not tried again. */
const statusCodes = statusNames.filter((name) => name !== "OK");

/** Those of `@tercel/grpc` that need no settings of their own. */
export const loadBalancingPolicies = [
  "round_robin",
  "least_request",
  "weighted_round_robin",
  "random",
  "pick_first",
] as const;

const retrySection = pipe(
  strictObject({
    max_attempts: optional(wholeNumber(2, 5, { description: "The first one included." }), 3),
    initial_backoff: optional(
      duration({ minMs: 1, description: "The pause before the first retry, varied by a fifth both ways." }),
      "100ms",
    ),
    max_backoff: optional(duration({ minMs: 1, description: "The longest pause." }), "1s"),
    backoff_multiplier: optional(
      wholeNumber(1, 10, { description: "What each pause is longer than the one before." }),
      2,
    ),
    codes: optional(array(choice(statusCodes, { description: "A status that is tried again." })), ["UNAVAILABLE"]),
  }),
  transform((written) => ({
    maxAttempts: written.max_attempts,
    initialBackoffMs: written.initial_backoff,
    maxBackoffMs: written.max_backoff,
    backoffMultiplier: written.backoff_multiplier,
    codes: written.codes,
  })),
);

const circuitBreakerSection = pipe(
  strictObject({
    enabled: optional(flag(), true),
    failure_rate: optional(share({ description: "This share of failures opens the circuit." }), 0.5),
    failure_threshold: optional(
      wholeNumber(1, 1_000_000, {
        description: "This many failures open it, whatever else succeeds. Default: only the share counts.",
      }),
    ),
    min_calls: optional(wholeNumber(1, 1_000_000, { description: "With fewer calls a share says nothing." }), 20),
    window: optional(duration({ minMs: 1, description: "How long a call counts." }), "10s"),
    open: optional(duration({ minMs: 1, description: "How long an open circuit refuses everything." }), "30s"),
    half_open_calls: optional(wholeNumber(1, 1000, { description: "How many calls then try." }), 3),
  }),
  transform((written) =>
    dropUndefined({
      enabled: written.enabled,
      failureRate: written.failure_rate,
      failureThreshold: written.failure_threshold,
      minCalls: written.min_calls,
      windowMs: written.window,
      openMs: written.open,
      halfOpenCalls: written.half_open_calls,
    }),
  ),
);

const poolSection = pipe(
  strictObject({
    max_connections: optional(
      wholeNumber(1, 10, { description: "Connections to one address when calls find no room on fewer." }),
      10,
    ),
    idle_timeout: optional(duration({ description: "Without calls for this long, connections are closed." }), "30m"),
  }),
  transform(({ max_connections: maxConnections, idle_timeout: idleTimeoutMs }) => ({ maxConnections, idleTimeoutMs })),
);

const clientKeepaliveSection = pipe(
  strictObject({
    time: duration({ minMs: 10_000, description: "How long the server may be silent before it is pinged." }),
    timeout: optional(duration({ minMs: 1, description: "How long it may take to answer a ping." }), "20s"),
    permit_without_stream: optional(flag({ description: "Ping without calls too." }), false),
  }),
  transform(({ time, timeout, permit_without_stream: permitWithoutCalls }) => ({
    timeMs: time,
    timeoutMs: timeout,
    permitWithoutCalls,
  })),
);

/** One of `dependencies`: a service that this one calls, and how. */
export const dependencySection = pipe(
  strictObject({
    name: serviceName({ description: "The service, as discovery knows it." }),
    version: optional(
      text({ minLength: 1, description: "Only instances of this version are called: `v1` takes v1.4.2, not v2." }),
    ),
    required: optional(flag({ reload: true, description: "Without it this service is not ready." }), true),
    target: optional(
      text({
        minLength: 1,
        description: "Where it is, instead of asking discovery: any channel target, `dns:///orders:50051`.",
      }),
    ),
    timeout: optional(duration({ minMs: 1, reload: true, description: "The deadline of calls that set none." }), "5s"),
    load_balancing: optional(
      choice(loadBalancingPolicies, { description: "How calls are spread over the instances." }),
      "round_robin",
    ),
    wait_for_ready: optional(
      flag({ description: "Calls wait for a connection instead of failing while there is none." }),
      false,
    ),
    max_recv_msg_size: optional(byteSize({ description: "The largest response." }), "4MiB"),
    max_send_msg_size: optional(byteSize({ description: "The largest request." }), 0xffff_ffff),
    retry: optional(retrySection),
    circuit_breaker: optional(circuitBreakerSection),
    pool: optional(poolSection, {}),
    keepalive: optional(clientKeepaliveSection),
    compression: optional(compressionSection),
    tls: optional(clientTlsSection),
  }),
  transform((written) =>
    dropUndefined({
      name: written.name,
      version: written.version,
      isRequired: written.required,
      target: written.target,
      timeoutMs: written.timeout,
      loadBalancing: written.load_balancing,
      waitForReady: written.wait_for_ready,
      maxReceiveMessageBytes: written.max_recv_msg_size,
      maxSendMessageBytes: written.max_send_msg_size,
      retry: written.retry,
      circuitBreaker: written.circuit_breaker,
      pool: written.pool,
      keepalive: written.keepalive,
      compression: written.compression,
      tls: written.tls,
    }),
  ),
);

export type DependencySection = InferOutput<typeof dependencySection>;
