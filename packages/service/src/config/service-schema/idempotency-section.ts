import { type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { flag } from "../values/basic-values.ts";
import { duration } from "../values/duration.ts";

/** `idempotency`: calls that must not run twice, by the key that their callers chose. */
export const idempotencySection = pipe(
  strictObject({
    enabled: optional(
      flag({
        secret: false,
        description: "`false` leaves keys unread, those included that a proto asks for (`tercel.idempotency.v1`).",
      }),
      true,
    ),
    required: optional(
      flag({ description: "Calls without a key are refused where the proto does not say whether they are." }),
      false,
    ),
    ttl: optional(duration({ minMs: 1, description: "How long a response is kept, and given again." }), "24h"),
    lease: optional(
      duration({
        minMs: 1,
        description: "How long a key is held for a process that has died; then the call may run again.",
      }),
      "30s",
    ),
    max_wait: optional(duration({ description: "How long a call waits for the same call in another process." }), "30s"),
  }),
  transform(({ ttl: ttlMs, lease: leaseMs, max_wait: maxWaitMs, ...rest }) => ({ ...rest, ttlMs, leaseMs, maxWaitMs })),
);

export type IdempotencySection = InferOutput<typeof idempotencySection>;
