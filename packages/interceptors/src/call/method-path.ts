import type { DescMethod } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";

/** The part of a request that names the method. */
export type MethodOfCall = Pick<UnaryRequest, "service"> & { readonly method: { readonly name: string } };

/** Returns `package.Service/Method`, as in gRPC's logs and metrics: the path without the leading slash. */
export function methodPath(request: MethodOfCall): string {
  return `${request.service.typeName}/${request.method.name}`;
}

/** Returns `package.Service/Method` of a descriptor. */
export function pathOfMethod(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
