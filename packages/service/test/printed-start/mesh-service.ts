// A service that needs another one, as the printed user-service.yaml says, or with `--set` alone the other one.
import { client, defineService, runService } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

const orders = defineService({
  routes(router) {
    router.service(EchoService, { unary: ({ text }) => ({ text: `${text}, ordered` }) });
  },
});
const users = defineService({
  needs: { orders: client(EchoService, "order-service") },
  routes(router, { orders }) {
    router.service(EchoService, { unary: (request) => orders.unary(request) });
  },
});
await (process.env.ROLE === "orders" ? runService(orders) : runService(users));
