/** What is open, as far as a person who tries it needs to know. */
export interface OpenShop {
  readonly userAddress: string;
  readonly orderAddresses: readonly string[];
  /** Where metrics are, as far as it is not only the log that knows. */
  readonly metricsAddresses: readonly string[];
  /** A token of an admin; undefined where an issuer makes them. */
  readonly token: string | undefined;
  /** Whether tools can ask what there is. */
  readonly reflection: boolean;
  /** Whether the package `user` takes calls without a token. */
  readonly isOldPackageOpen: boolean;
}

/** What a person sees once everything listens: where, and what to try. */
export function readyText(shop: OpenShop): string {
  const { userAddress, orderAddresses, metricsAddresses } = shop;
  const metrics = metricsAddresses.map((address) => `http://${dialable(address)}/metrics`);
  return [
    "The shop is open.",
    `  user-service   ${userAddress}`,
    `  order-service  ${orderAddresses.join(", ")}`,
    ...(metrics.length === 0 ? [] : [`  metrics        ${metrics.join(", ")}`]),
    "",
    ...(shop.reflection ? tries(shop) : ["Reflection is off, so tools need the proto files."]),
    "Ctrl-C closes the shop.",
    "",
  ].join("\n");
}

function tries({ userAddress, token, isOldPackageOpen }: OpenShop): string[] {
  const target = dialable(userAddress);
  const call = (method: string, request: object) =>
    `  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d '${JSON.stringify(request)}' ${target} ${method}`;
  const ada = { email: "ada@example.org", first_name: "Ada", last_name: "Lovelace", password: "correct horse" };
  return [
    token === undefined
      ? "Try it, with an admin's token of your issuer as TOKEN:"
      : "Try it, with this token of an admin, or with others that `npm run token` makes:",
    ...(token === undefined ? [] : [`  TOKEN=${token}`]),
    call("user.v1.UserService/CreateUser", ada),
    call("user.v1.UserService/ListUsers", { page_size: 10, order_by: "created_at desc" }),
    ...(isOldPackageOpen
      ? [
          "The older package needs no token on this machine:",
          `  grpcurl -plaintext -d '{"name":"Grace Hopper","email":"grace@example.org"}' ${target} user.UserService/CreateUser`,
        ]
      : []),
    "No grpcurl? brew install grpcurl, or https://github.com/fullstorydev/grpcurl/releases",
  ];
}

/** An address to connect to. A service that listens on every interface is reached on this machine's own. */
function dialable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
}
