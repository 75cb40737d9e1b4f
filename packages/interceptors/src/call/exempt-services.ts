/** Services that need no rule: probes have no credentials, and reflection may be opened to everyone. */
export function exemptServices(publicReflection: boolean | undefined): readonly string[] {
  return publicReflection === true ? [healthService, ...reflectionServices] : [healthService];
}

const healthService = "grpc.health.v1.Health";
const reflectionServices = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
