import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { createAuth } from "@tercel/interceptors/auth";
import { createServerDeadline } from "@tercel/interceptors/deadline";
import { createRegistry, createServerMetrics } from "@tercel/interceptors/metrics";
import { startOtlpTracing } from "@tercel/interceptors/otlp";
import { createRecovery } from "@tercel/interceptors/recovery";
import { createServerRequestId } from "@tercel/interceptors/request-id";
import { createServerTracing } from "@tercel/interceptors/tracing";
import { createValidation } from "@tercel/interceptors/validation";
import { audience, issuer, scope, secret } from "./caller.ts";

type MakeInterceptor = (service: DescService) => Interceptor | Promise<Interceptor>;

/** The interceptors that a service has by default, each as its guide sets it up, from the outermost inwards. */
const makers = {
  "request-id": () => createServerRequestId(),
  // With OpenTelemetry's SDK behind it; callers' traces are not sampled.
  tracing: async () => {
    await startOtlpTracing({ service: "bench" });
    return createServerTracing();
  },
  metrics: () => createServerMetrics({ registry: createRegistry() }),
  recovery: () => createRecovery(),
  deadline: () => createServerDeadline({ defaultMs: 5000, maxMs: 30_000 }),
  auth: (service) =>
    createAuth({
      services: [service],
      keys: [{ algorithm: "HS256", id: "bench", secret }],
      issuer,
      audience,
      rules: { [`${service.typeName}/*`]: { scopes: [scope] } },
    }),
  validation: (service) => createValidation({ services: [service] }),
} satisfies Record<string, MakeInterceptor>;

/** An application's own, which only hands on: what Connect's contract costs where one of those stands among ours. */
const passing: Interceptor = (next) => async (request) => next(request);

const ours = Object.keys(makers) as (keyof typeof makers)[];

/** What is measured, bare first: each interceptor alone, all of them, and all with one of the application's in their middle. */
export const stackNames: readonly string[] = ["bare", ...ours, "all", "own", "all+own"];

/** @throws Error for a name that is none */
export async function createStack(name: string, service: DescService): Promise<Interceptor[]> {
  const made = async (some: readonly (keyof typeof makers)[]): Promise<Interceptor[]> =>
    Promise.all(some.map((one) => makers[one](service)));
  if (name === "bare") return [];
  if (name === "own") return [passing];
  if (name === "all") return made(ours);
  if (name === "all+own") return [...(await made(ours.slice(0, 4))), passing, ...(await made(ours.slice(4)))];
  const one = ours.find((known) => known === name);
  if (one === undefined) throw new Error(`no stack is called ${name}`);
  return made([one]);
}
