/** The cases of gRPC's interoperability test descriptions that the matrix runs. */
const plainCases = [
  "empty_unary",
  "large_unary",
  "client_streaming",
  "server_streaming",
  "ping_pong",
  "empty_stream",
  "custom_metadata",
  "status_code_and_message",
  "special_status_message",
  "unimplemented_method",
  "unimplemented_service",
  "cancel_after_begin",
  "cancel_after_first_response",
  "timeout_on_sleeping_server",
] as const;

export const clientCompressionCases = ["client_compressed_unary", "client_compressed_streaming"] as const;
export const serverCompressionCases = ["server_compressed_unary", "server_compressed_streaming"] as const;
/** Load reports (gRFC A51): in a call's trailers, and in a separate stream. */
export const orcaCases = ["orca_per_rpc", "orca_oob"] as const;
const soakCases = ["rpc_soak", "channel_soak"] as const;

export type CaseName =
  | (typeof plainCases)[number]
  | (typeof clientCompressionCases)[number]
  | (typeof serverCompressionCases)[number]
  | (typeof orcaCases)[number]
  | (typeof soakCases)[number];

export const allCases: readonly CaseName[] = [
  ...plainCases,
  ...clientCompressionCases,
  ...serverCompressionCases,
  ...orcaCases,
  ...soakCases,
];

export function isSoak(name: CaseName): boolean {
  return (soakCases as readonly string[]).includes(name);
}

/** Returns the same reason for several cases. */
export function because(names: readonly CaseName[], reason: string): Partial<Record<CaseName, string>> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}
