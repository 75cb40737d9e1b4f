import { type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { choice, flag, wholeNumber } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";

const mostCalls = 1_000_000;
const priority = choice(["critical", "normal", "low", "exempt"], {
  description:
    "Priority of methods by `package.Service/Method` or `package.Service/*`: `critical`, `normal`, `low`, or `exempt`, which always run.",
});

/** `load_shedding`: how many calls run concurrently, and how others wait or are rejected. */
export const loadSheddingSection = pipe(
  strictObject({
    enabled: optional(flag({ description: "`false` runs all calls immediately, regardless of the load." }), true),
    initial_limit: optional(
      wholeNumber(1, mostCalls, {
        description: "Initial limit on concurrent unary calls of a method. Default: `max_concurrent_streams` of gRPC.",
      }),
    ),
    min_limit: optional(wholeNumber(1, mostCalls, { description: "Minimum of the adaptive limit." }), 5),
    max_limit: optional(
      wholeNumber(1, mostCalls, {
        description: "Maximum of the adaptive limit. Default: 1000, or `initial_limit` if that is more.",
      }),
    ),
    max_queued: optional(
      wholeNumber(0, mostCalls, { description: "Maximum number of waiting calls; 0 rejects at once." }),
      1000,
    ),
    max_wait: optional(duration({ minMs: 1, description: "Maximum wait of a call." }), "1s"),
    overloaded_wait: optional(
      duration({
        minMs: 1,
        description:
          "Maximum wait of a call while its method is overloaded. Default: 250ms, or `max_wait` if that is less.",
      }),
    ),
    max_loop_delay: optional(
      duration({
        description: "Event loop delay above which calls are admitted gradually; 0 disables this.",
      }),
      "100ms",
    ),
    retry_after: optional(
      duration({
        minMs: 1,
        description: "Minimum retry delay sent to rejected clients; randomized up to twice as long.",
      }),
      "1s",
    ),
    methods: optional(record(string(), priority), {}),
  }),
  transform((written) => ({
    ...dropUndefined({
      initialLimit: written.initial_limit,
      maxLimit: written.max_limit,
      overloadedWaitMs: written.overloaded_wait,
    }),
    enabled: written.enabled,
    minLimit: written.min_limit,
    maxQueued: written.max_queued,
    maxWaitMs: written.max_wait,
    maxLoopDelayMs: written.max_loop_delay,
    retryAfterMs: written.retry_after,
    methods: written.methods,
  })),
);

export type LoadSheddingSection = InferOutput<typeof loadSheddingSection>;
