import assert from "node:assert/strict";
import { test } from "node:test";
import { createChannel } from "@tercel/grpc";
import { parse } from "valibot";
import { dependencySection, loadBalancingPolicies } from "../../config/service-schema/dependencies-section.ts";
import { serviceConfigOf, targetOf } from "./dependency-channel.ts";

const dependency = (keys: object) => parse(dependencySection, { name: "order-service", ...keys });

test("a service is found by its name and version at the discovery, or where its entry says", () => {
  assert.equal(targetOf(dependency({})), "discovery:///order-service");
  assert.equal(targetOf(dependency({ version: "v1" })), "discovery:///order-service?version=v1");
  assert.equal(targetOf(dependency({ target: "dns:///orders:50051", version: "v1" })), "dns:///orders:50051");
});

test("calls go round the instances, and are repeated when the entry says so", () => {
  assert.deepEqual(serviceConfigOf(dependency({})), {
    loadBalancingConfig: [{ round_robin: {} }],
    connectionScaling: { maxConnectionsPerSubchannel: 10 },
    methodConfig: [],
  });
  const { methodConfig, loadBalancingConfig } = serviceConfigOf(
    dependency({
      load_balancing: "least_request",
      retry: { max_attempts: 4, initial_backoff: "20ms", codes: ["ABORTED"] },
    }),
  );
  assert.deepEqual(loadBalancingConfig, [{ least_request: {} }]);
  assert.deepEqual(methodConfig, [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.02s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["ABORTED"],
      },
    },
  ]);
});

for (const policy of loadBalancingPolicies) {
  test(`a channel takes the policy ${policy} by its name`, async () => {
    const serviceConfig = serviceConfigOf(dependency({ load_balancing: policy }));
    await createChannel("static:///127.0.0.1:1", { serviceConfig }).close();
  });
}

test("another policy is refused with those that there are", () => {
  assert.throws(() => dependency({ load_balancing: "fastest" }), /expected one of round_robin, least_request, /);
});
