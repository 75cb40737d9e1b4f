import { serviceNames } from "./development-secret.ts";
import type { ReadyReport } from "./supervised-service.ts";

/** What is open, as far as a person who tries it needs to know. */
export interface OpenShop {
  readonly services: Readonly<Record<(typeof serviceNames)[number], ReadyReport>>;
  /** A token of an admin. */
  readonly token: string;
}

/** What a person sees once everything listens: where, and what to try. */
export function readyText({ services, token }: OpenShop): string {
  const widest = Math.max(...serviceNames.map((name) => name.length));
  const users = dialable(services["user-service"].address);
  const { http } = services["user-service"];
  const call = (address: string, method: string, request: object) =>
    `  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d '${JSON.stringify(request)}' ${address} ${method}`;
  const ada = { email: "ada@example.org", first_name: "Ada", last_name: "Lovelace", password: "correct horse" };
  return [
    "The shop is open.",
    ...serviceNames.map((name) => `  ${name.padEnd(widest)}  ${services[name].address}`),
    ...(http === undefined
      ? []
      : [
          `  ${"REST".padEnd(widest)}  http://${dialable(http)}/v1/users, described at http://${dialable(http)}/docs`,
          "",
          "Open its page, signed in as an admin:",
          `  http://${dialable(http)}/#token=${token}`,
        ]),
    "",
    "Try it, with this token of an admin, or with others that `npm run token` makes:",
    `  TOKEN=${token}`,
    call(users, "user.v1.UserService/CreateUser", ada),
    call(users, "api.user.v1.UserService/ListUsers", { page_size: 10, order_by: "created_at desc" }),
    call(
      dialable(services["notification-service"].address),
      "shop.notification.v1.NotificationService/ListNotifications",
      {},
    ),
    ...(http === undefined ? [] : [`  curl -s -H "authorization: Bearer $TOKEN" http://${dialable(http)}/v1/users`]),
    "The oldest package needs no token on this machine:",
    `  grpcurl -plaintext -d '{"name":"Grace Hopper","email":"grace@example.org"}' ${users} user.UserService/CreateUser`,
    "No grpcurl? brew install grpcurl, or https://github.com/fullstorydev/grpcurl/releases",
    "Ctrl-C closes the shop.",
    "",
  ].join("\n");
}

/** An address to connect to. A service that listens on every interface is reached on this machine's own. */
function dialable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[?::\]?:/, "[::1]:");
}
