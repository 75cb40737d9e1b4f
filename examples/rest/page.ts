// The code of a web page for the users of main.ts. A bundler adds it to the page, with the code generated from the protos.

import { createClient, type Transport } from "@connectrpc/connect";
import { createReconnectingStream, matchError } from "@tercel/gateway/browser";
import { type User, type UserEvent, UserService } from "./gen/api/user/v1/user_pb.ts";

/** The content of a form after it was sent. */
export interface FormState {
  readonly saved?: User;
  /** By field, such as "user.email". */
  readonly problems: ReadonlyMap<string, string>;
  readonly message?: string;
}

export function createUsers(transport: Transport) {
  const client = createClient(UserService, transport);
  return {
    list: async (): Promise<User[]> => (await client.listUsers({})).users,

    async save(email: string): Promise<FormState> {
      try {
        return { saved: await client.createUser({ user: { email } }), problems: new Map() };
      } catch (error) {
        return matchError<FormState>(error, {
          InvalidArgument: ({ fields }) => ({
            problems: new Map(fields.map(({ field, description }) => [field, description])),
          }),
          Unavailable: () => ({ problems: new Map(), message: "The server is not there. Try again in a moment." }),
          otherwise: ({ message }) => ({ problems: new Map(), message }),
        });
      }
    },

    /** The users as they are created, across restarts of the server and network failures. */
    watch: (signal: AbortSignal): AsyncIterable<User> =>
      users(
        createReconnectingStream({
          open: (resumeToken: string | undefined, streamSignal) =>
            client.streamUserEvents({ resumeToken: resumeToken ?? "" }, { signal: streamSignal }),
          tokenOf: ({ resumeToken }) => resumeToken,
          reconnectOnEnd: true,
          signal,
        }),
      ),
  };
}

async function* users(events: AsyncIterable<UserEvent>): AsyncIterable<User> {
  for await (const { user } of events) if (user !== undefined) yield user;
}
