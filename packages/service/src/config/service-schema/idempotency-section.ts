import { type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { flag } from "../values/basic-values.ts";
import { duration } from "../values/duration.ts";

/** `idempotency`: calls that must not run twice, identified by the callers' keys. */
export const idempotencySection = pipe(
  strictObject({
    enabled: optional(
      flag({
        secret: false,
        description: "`false` ignores keys, including those that a proto requires (`tercel.idempotency.v1`).",
      }),
      true,
    ),
    required: optional(
      flag({ description: "Whether calls without a key are rejected, for methods without a rule in the proto." }),
      false,
    ),
    ttl: optional(duration({ minMs: 1, description: "How long a response is stored for retries." }), "24h"),
    lease: optional(
      duration({
        minMs: 1,
        description: "How long a key stays locked after its process has crashed; then the call may run again.",
      }),
      "30s",
    ),
    max_wait: optional(duration({ description: "How long a call waits for the same call in another process." }), "30s"),
  }),
  transform(({ ttl: ttlMs, lease: leaseMs, max_wait: maxWaitMs, ...rest }) => ({ ...rest, ttlMs, leaseMs, maxWaitMs })),
);

export type IdempotencySection = InferOutput<typeof idempotencySection>;
