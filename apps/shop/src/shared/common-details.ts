import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { withCommonDetails } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";

/**
 * Creates an interceptor that adds the reason and the invalid fields of every error as messages of common.v1, in addition to
 * google.rpc's. It must be outside of all interceptors that create such errors.
 */
export function createCommonDetails(): Interceptor {
  return createHookedInterceptor({
    onError: (_request, _state, error) => (error instanceof ConnectError ? withCommonDetails(error) : error),
  });
}
