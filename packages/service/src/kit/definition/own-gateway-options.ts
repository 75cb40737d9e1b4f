import type { GatewayOptions } from "@tercel/gateway";

/** What the application's code says about REST, Connect and gRPC-Web: what a configuration cannot. */
export type OwnGatewayOptions = Omit<GatewayOptions, "protocols" | "unknownQuery">;
