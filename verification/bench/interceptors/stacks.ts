import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { createRegistry } from "@tercel/interceptors/metrics";
import { startOtlpTracing } from "@tercel/interceptors/otlp";
import { createServerStack, type ServerStackOptions } from "@tercel/interceptors/stack";
import { audience, issuer, scope, secret } from "./caller.ts";

type Configure = (service: DescService) => ServerStackOptions | Promise<ServerStackOptions>;

/** The features that a service has by default, configured as in their documentation. */
const features = {
  "request-id": () => ({ requestId: true }),
  // With OpenTelemetry's SDK. The traces of callers are not sampled.
  tracing: async () => {
    await startOtlpTracing({ service: "bench" });
    return { tracing: true };
  },
  metrics: () => ({ metrics: { registry: createRegistry() } }),
  recovery: () => ({ recovery: true }),
  deadline: () => ({ deadline: { defaultMs: 5000, maxMs: 30_000 } }),
  auth: (service) => ({
    auth: {
      keys: [{ algorithm: "HS256", id: "bench", secret }],
      issuer,
      audience,
      methods: { [`${service.typeName}/*`]: { scopes: [scope] } },
    },
  }),
  validation: () => ({ validation: true }),
  // A limit that is never reached, to measure the counting.
  "rate-limit": () => ({ rateLimit: { limit: { requests: 1_000_000_000, per: "hour" } } }),
  // A line for each call on standard output.
  logging: () => ({ logging: true }),
} satisfies Record<string, Configure>;

/** The stacks with a single feature. */
const nothing: ServerStackOptions = { requestId: false, tracing: false, recovery: false, deadline: false };

/** An application's interceptor that only calls `next`: the cost of one interceptor of Connect among Tercel's hooks. */
const passing: Interceptor = (next) => async (request) => next(request);

const ours = Object.keys(features) as (keyof typeof features)[];
/** The seven features without logging and rate limits. */
const usual = ours.filter((feature) => feature !== "rate-limit" && feature !== "logging");

/**
 * The measured stacks, the bare server first: each feature alone, the seven usual ones, these with an interceptor of the application in the
 * middle, and all nine, as in production.
 */
export const stackNames: readonly string[] = ["bare", ...ours, "all", "own", "all+own", "production"];

/** @throws Error for a name that is not a stack */
export async function createStack(name: string, service: DescService): Promise<readonly Interceptor[]> {
  if (!stackNames.includes(name)) throw new Error(`no stack is called ${name}`);
  const chosen = featuresOf(name);
  const options: ServerStackOptions = { ...nothing, services: [service] };
  for (const feature of chosen) Object.assign(options, await features[feature](service));
  if (name.endsWith("own")) options.after = { recovery: passing };
  return (await createServerStack(options)).interceptors;
}

function featuresOf(name: string): readonly (keyof typeof features)[] {
  if (name === "production") return ours;
  return name.startsWith("all") ? usual : ours.filter((feature) => feature === name);
}
