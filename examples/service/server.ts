import { runService } from "@tercel/service";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";

await runService((router) => {
  router.service(HelloService, { sayHello: ({ name }) => ({ greeting: `Hello, ${name}!` }) });
});
