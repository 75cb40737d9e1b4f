import { Code, ConnectError, createServer } from "@tercel/grpc";
import { createReflection } from "@tercel/grpc/services";
import { HelloService } from "./gen/hello/v1/hello_pb.ts";

const server = createServer({
  routes(router) {
    router.service(HelloService, {
      sayHello({ name }) {
        if (name === "") throw new ConnectError("name is empty", Code.InvalidArgument);
        return { greeting: `Hello, ${name}!` };
      },
      async *countdown({ from }) {
        for (let number = from; number > 0; number--) yield { number };
      },
    });
    createReflection({ services: [HelloService] }).routes(router);
  },
});
const { host, port } = await server.listen({ port: Number(process.env.PORT ?? 50051) });
console.log(`listening on ${host}:${port}`);
process.once("SIGINT", () => server.close());
