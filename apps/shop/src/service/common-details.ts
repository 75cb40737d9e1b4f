import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { withCommonDetails } from "@tercel/grpc/errors";

/**
 * Creates an interceptor that has every error say its reason and its wrong fields in the messages of common.v1 as well as in
 * google.rpc's, whoever made it. It belongs outside of all that makes such errors.
 */
export function createCommonDetails(): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: translating(response.message) } : response;
    } catch (error) {
      throw translated(error);
    }
  };
}

/** A stream fails while it is read, long after the handler was called. */
async function* translating<Message>(messages: AsyncIterable<Message>) {
  try {
    yield* messages;
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): unknown {
  return error instanceof ConnectError ? withCommonDetails(error) : error;
}
