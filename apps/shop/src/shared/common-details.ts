import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { withCommonDetails } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";

/**
 * Creates an interceptor that has every error say its reason and its wrong fields in the messages of common.v1 as well as in
 * google.rpc's, whoever made it. It belongs outside of all that makes such errors.
 */
export function createCommonDetails(): Interceptor {
  return createHookedInterceptor({
    onError: (_request, _state, error) => (error instanceof ConnectError ? withCommonDetails(error) : error),
  });
}
