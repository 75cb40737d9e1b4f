import type { ServiceNames } from "./service-names.ts";
import { defaultPorts, type ServicePorts } from "./service-ports.ts";

/** The types of each concern, the default first. */
export const choices = {
  database: ["sqlite", "postgres", "none"],
  cache: ["memory", "redis", "none"],
  events: ["memory", "nats", "none"],
  auth: ["none", "jwt"],
  monitoring: ["prometheus", "otlp", "none"],
  discovery: ["embedded", "consul", "etcd", "kubernetes", "none"],
} as const;

export type Concern = keyof typeof choices;

/** The concerns in the order of the prompts. */
export const concerns = Object.keys(choices) as readonly Concern[];

/** The type of each concern. */
export type Choices = { readonly [C in Concern]: (typeof choices)[C][number] };

/** A project that can be rendered. */
export interface ServicePlan {
  readonly type: "grpc";
  readonly names: ServiceNames;
  readonly with: Choices;
  /** Whether REST, Connect and gRPC-Web are served as well. */
  readonly hasGateway: boolean;
  readonly ports: ServicePorts;
  /** The version of this program and of Tercel's packages. */
  readonly version: string;
}

/** Returns the command line that creates the same project without prompts. */
export function equalCommand({
  names,
  with: chosen,
  hasGateway,
  ports,
}: Omit<ServicePlan, "type" | "version">): string {
  const flags = concerns.map((concern) => `--with-${concern}=${chosen[concern]}`);
  return [
    "tercel new",
    names.service,
    "--type=grpc",
    ...flags,
    hasGateway ? "--gateway" : "--no-gateway",
    ...(ports.grpc === defaultPorts.grpc ? [] : [`--port=${ports.grpc}`]),
  ].join(" ");
}
