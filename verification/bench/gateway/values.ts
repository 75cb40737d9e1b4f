/** What every server under test answers with, so that the work is the same. The peers in Go and those of Node's peers have it too. */
export const user = {
  userId: "ada",
  email: "ada@example.com",
  displayName: "Ada Lovelace",
};

/** About 3.6 KB of JSON. */
export const users = Array.from({ length: 50 }, (_, at) => ({ ...user, userId: `user-${at}` }));

/** Messages of a stream. */
export const streamedMessages = 1000;

/** A stream that sends one event, and then nothing until its client leaves. */
export const heldStream = "/v1/users:events?resume_token=hold";
