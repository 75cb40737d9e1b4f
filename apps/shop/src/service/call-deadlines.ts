import type { Interceptor } from "@connectrpc/connect";
import { reflectionServices } from "@tercel/grpc/services";
import { createServerDeadline } from "@tercel/interceptors/deadline";

/** For calls whose client has set no deadline. */
const defaultMs = 5_000;
const maxMs = 30_000;

/**
 * Gives every call a deadline, apart from streams that go on for as long as they are read.
 *
 * @param streams Such streams beside those of health and reflection, by `package.Service/Method`.
 */
export function createCallDeadlines(streams: readonly string[] = []): Interceptor {
  const openEnded = ["grpc.health.v1.Health/Watch", ...reflectionServices.map(({ typeName }) => typeName), ...streams];
  return createServerDeadline({ defaultMs, maxMs, methods: Object.fromEntries(openEnded.map((name) => [name, {}])) });
}
