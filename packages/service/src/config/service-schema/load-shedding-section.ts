import { description, type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { choice, flag, wholeNumber } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";

const mostCalls = 1_000_000;
const priority = choice(["critical", "normal", "low", "exempt"]);

/** `load_shedding`: how many calls run at once, and what becomes of the others. */
export const loadSheddingSection = pipe(
  strictObject({
    enabled: optional(flag({ description: "`false` runs every call at once, whatever the load." }), true),
    initial_limit: optional(
      wholeNumber(1, mostCalls, {
        description:
          "Unary calls of one method at once before anything is learned. Default: `max_concurrent_streams` of gRPC.",
      }),
    ),
    min_limit: optional(wholeNumber(1, mostCalls, { description: "The least that is learned." }), 5),
    max_limit: optional(
      wholeNumber(1, mostCalls, {
        description: "The most that is learned. Default: 1000, or `initial_limit` if that is more.",
      }),
    ),
    max_queued: optional(
      wholeNumber(0, mostCalls, { description: "Calls that may wait; 0 refuses at once what cannot run." }),
      1000,
    ),
    max_wait: optional(duration({ minMs: 1, description: "How long a call may wait." }), "1s"),
    overloaded_wait: optional(
      duration({
        minMs: 1,
        description:
          "How long a call may wait while its method is overloaded. Default: 250ms, or `max_wait` if that is less.",
      }),
    ),
    max_loop_delay: optional(
      duration({
        description: "While the event loop is later than this, calls are let in turn by turn; 0 switches this off.",
      }),
      "100ms",
    ),
    retry_after: optional(
      duration({ minMs: 1, description: "What refused clients are told to wait, at least; up to twice as long." }),
      "1s",
    ),
    methods: optional(
      pipe(
        record(string(), priority),
        description(
          "Which calls go first: `critical`, `normal`, `low`, or `exempt`, which always run, by `package.Service/Method` or `package.Service/*`.",
        ),
      ),
      {},
    ),
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
