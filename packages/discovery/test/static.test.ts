import { describeReadOnlyRegistryContract } from "@tercel/discovery/contracts";
import { createStaticRegistry } from "@tercel/discovery/static";

describeReadOnlyRegistryContract("the list of a configuration", async () => {
  const registry = createStaticRegistry({ services: {} });
  return {
    registry,
    publish: (service, addresses, port) =>
      registry.update({ [service]: addresses.map((address) => ({ address, port })) }),
    close: () => registry.close(),
  };
});
