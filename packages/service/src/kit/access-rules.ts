import { type DescService, hasOption } from "@bufbuild/protobuf";
import { method as methodRule, service as serviceRule } from "@tercel/interceptors/gen/tercel/auth/v1/auth_pb.js";

/** Whether the proto says who may call a service, or one of its methods. */
export function hasAccessRule(service: DescService): boolean {
  return hasOption(service, serviceRule) || service.methods.some((method) => hasOption(method, methodRule));
}
