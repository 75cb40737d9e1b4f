import type { DescMethod } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";

/** What interceptors are handed, as far as it names the method. */
export type MethodOfCall = Pick<UnaryRequest, "service"> & { readonly method: { readonly name: string } };

/** `package.Service/Method`, as in gRPC's logs and metrics: the path without its first slash. */
export function methodPath(request: MethodOfCall): string {
  return `${request.service.typeName}/${request.method.name}`;
}

/** `package.Service/Method` of a descriptor. */
export function pathOfMethod(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
