import type { GatewayOptions } from "@tercel/gateway";

/** Options of REST, Connect and gRPC-Web that only code can set. */
export type OwnGatewayOptions = Omit<GatewayOptions, "protocols" | "unknownQuery">;
