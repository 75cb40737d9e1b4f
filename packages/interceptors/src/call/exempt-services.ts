/** Returns the services that need no rule: health, because probes have no credentials, and reflection if it is public. */
export function exemptServices(publicReflection: boolean | undefined): readonly string[] {
  return publicReflection === true ? [healthService, ...reflectionServices] : [healthService];
}

const healthService = "grpc.health.v1.Health";
const reflectionServices = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
