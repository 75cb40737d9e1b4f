import { runServices } from "@tercel/service";
import { hello } from "./hello.ts";
import { polite } from "./polite.ts";

await runServices([
  { definition: hello, config: { service: { name: "hello-service", port: 50_051 } } },
  { definition: polite, config: { service: { name: "polite-service", port: 50_052 } } },
]);
