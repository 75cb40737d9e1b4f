import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { announce, portArgument } from "../../serve.ts";
import { routes } from "./users.ts";

const server = createServer(connectNodeAdapter({ routes }));
server.listen(portArgument(), "127.0.0.1", () => {
  announce((server.address() as AddressInfo).port, () => server.close());
});
