/** What a person sees once everything listens: where, and what to try. */
export function readyText(userAddress: string, orderAddresses: readonly string[]): string {
  const target = dialable(userAddress);
  return [
    "The shop is open.",
    `  user-service   ${userAddress}`,
    `  order-service  ${orderAddresses.join(", ")}`,
    "",
    "Try it:",
    `  grpcurl -plaintext -d '{"name":"Ada","email":"ada@example.org"}' ${target} user.UserService/CreateUser`,
    `  grpcurl -plaintext ${target} user.UserService/ListUsers`,
    "No grpcurl? brew install grpcurl, or https://github.com/fullstorydev/grpcurl/releases",
    "Ctrl-C closes the shop.",
    "",
  ].join("\n");
}

/** An address to connect to. A service that listens on every interface is reached on this machine's own. */
function dialable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
}
