import { statusNames } from "@tercel/grpc/internal";
import { array, type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, share, text, wholeNumber } from "../values/basic-values.ts";
import { byteSize } from "../values/byte-size.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";
import { compressionSection } from "./communication-section.ts";
import { serviceName } from "./service-section.ts";
import { clientTlsSection } from "./tls-section.ts";

/** Statuses of errors, which can be retried. */
const statusCodes = statusNames.filter((name) => name !== "OK");

/** The policies of `@tercel/grpc` without settings. */
export const loadBalancingPolicies = [
  "round_robin",
  "least_request",
  "weighted_round_robin",
  "random",
  "pick_first",
] as const;

const retrySection = pipe(
  strictObject({
    max_attempts: optional(wholeNumber(2, 5, { description: "Maximum number of attempts, including the first." }), 3),
    initial_backoff: optional(
      duration({ minMs: 1, description: "Delay before the first retry, randomized by ±20 %." }),
      "100ms",
    ),
    max_backoff: optional(duration({ minMs: 1, description: "Maximum delay." }), "1s"),
    backoff_multiplier: optional(wholeNumber(1, 10, { description: "Factor by which the delay grows." }), 2),
    codes: optional(array(choice(statusCodes, { description: "A status that is retried." })), ["UNAVAILABLE"]),
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
    enabled: optional(flag({ description: "`false` disables the circuit breaker." }), true),
    failure_rate: optional(share({ description: "Share of failures that opens the circuit." }), 0.5),
    failure_threshold: optional(
      wholeNumber(1, 1_000_000, {
        description: "Number of failures that opens it, regardless of the share. Default: only the share counts.",
      }),
    ),
    min_calls: optional(
      wholeNumber(1, 1_000_000, { description: "Minimum number of calls for the share to count." }),
      20,
    ),
    window: optional(duration({ minMs: 1, description: "Length of the window in which calls count." }), "10s"),
    open: optional(duration({ minMs: 1, description: "How long an open circuit rejects all calls." }), "30s"),
    half_open_calls: optional(wholeNumber(1, 1000, { description: "Number of trial calls after that." }), 3),
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
      wholeNumber(1, 10, {
        description:
          "Maximum number of connections to one address; further ones open when the concurrent stream limit is reached.",
      }),
      10,
    ),
    idle_timeout: optional(duration({ description: "Idle time after which connections are closed." }), "30m"),
  }),
  transform(({ max_connections: maxConnections, idle_timeout: idleTimeoutMs }) => ({ maxConnections, idleTimeoutMs })),
);

const clientKeepaliveSection = pipe(
  strictObject({
    time: duration({ minMs: 10_000, description: "Idle time after which the server is pinged." }),
    timeout: optional(duration({ minMs: 1, description: "Timeout of a ping." }), "20s"),
    permit_without_stream: optional(flag({ description: "Whether to ping without calls too." }), false),
  }),
  transform(({ time, timeout, permit_without_stream: permitWithoutCalls }) => ({
    timeMs: time,
    timeoutMs: timeout,
    permitWithoutCalls,
  })),
);

/** An item of `dependencies`: a service that this one calls, and how. */
export const dependencySection = pipe(
  strictObject({
    name: serviceName({ description: "Name of the service in discovery." }),
    version: optional(text({ minLength: 1, description: "Required version: `v1` matches v1.4.2, not v2." })),
    required: optional(
      flag({ reload: true, description: "Whether this service is ready only if the dependency is available." }),
      true,
    ),
    target: optional(
      text({
        minLength: 1,
        description: "Channel target that replaces discovery, such as `dns:///orders:50051`.",
      }),
    ),
    timeout: optional(duration({ minMs: 1, reload: true, description: "Deadline of calls without one." }), "5s"),
    load_balancing: optional(choice(loadBalancingPolicies, { description: "Load balancing policy." }), "round_robin"),
    wait_for_ready: optional(
      flag({ description: "Whether calls wait for a connection instead of failing while there is none." }),
      false,
    ),
    max_recv_msg_size: optional(byteSize({ description: "Maximum size of a response." }), "4MiB"),
    max_send_msg_size: optional(byteSize({ description: "Maximum size of a request." }), 0xffff_ffff),
    retry: optional(retrySection),
    circuit_breaker: optional(circuitBreakerSection),
    pool: optional(poolSection, {}),
    keepalive: optional(clientKeepaliveSection),
    compression: optional(compressionSection("Compresses requests. Without this section, they are not.")),
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
