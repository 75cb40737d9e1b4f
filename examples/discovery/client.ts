import { createServiceChannels } from "@tercel/discovery";
import { createEmbeddedRegistry } from "@tercel/discovery/embedded";
import { WhoAmIService } from "./gen/whoami/v1/whoami_pb.ts";

const [calls = "1", target = "127.0.0.1:50050"] = process.argv.slice(2);
const registry = createEmbeddedRegistry({ target });
const channels = createServiceChannels({
  registry,
  channel: {
    defaultTimeoutMs: 5000,
    serviceConfig: {
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig: [
        {
          name: [{}],
          retryPolicy: {
            maxAttempts: 4,
            initialBackoff: "0.02s",
            maxBackoff: "0.2s",
            backoffMultiplier: 2,
            retryableStatusCodes: ["UNAVAILABLE"],
          },
        },
      ],
    },
  },
});
const client = channels.client(WhoAmIService, "whoami");
for (let call = 1; call <= Number(calls); call++) console.log((await client.whoAmI({})).instance);
await channels.close();
await registry.close();
